// Rearranged copies that are made of views, joins and one copy.
#include <algorithm>

#include "autograd/ops/check.hpp"
#include "autograd/ops/join.hpp"
#include "tensor/kernels.hpp"
#include "tensor/tensor.hpp"

namespace feral {
namespace {

// `result` with memory of its own.
Tensor apart(const Tensor& result, const Tensor& x) {
  return result.impl()->storage == x.impl()->storage ? result.clone() : result;
}

// All sizes before (behind) a dimension as one.
struct Around {
  std::int64_t before = 1;
  std::int64_t behind = 1;
};
Around around(const Shape& shape, int dim) {
  Around sizes;
  for (int i = 0; i < dim; ++i) sizes.before *= shape[i];
  for (int i = dim + 1; i < shape.dims(); ++i) sizes.behind *= shape[i];
  return sizes;
}

// The whole of x, repeats[i] times along dimension i; as many repeats as dimensions.
Tensor repeated(const Tensor& x, const Shape& repeats) {
  Shape result = x.shape();
  int split = 0;  // dimensions that need one more to be repeated along
  for (int i = 0; i < x.dims(); ++i) {
    split += repeats[i] != 1 && x.shape()[i] != 1 ? 1 : 0;
    if (__builtin_mul_overflow(result[i], repeats[i], &result[i])) {
      fail("repeat: {} times {} are too many elements", repeats[i], x.shape()[i]);
    }
  }
  if (x.dims() + split > Shape::max_dims) {  // one copy cannot do it
    Tensor whole = x;
    Shape shape = x.shape();
    for (int i = x.dims() - 1; i >= 0; --i) {
      if (repeats[i] == 1) continue;
      const auto [before, behind] = around(shape, i);
      shape[i] = result[i];
      whole = whole.reshape({before, 1, x.shape()[i], behind})
                  .expand({before, repeats[i], x.shape()[i], behind})
                  .reshape(shape);
    }
    return whole;
  }
  Shape single;
  Shape expanded;
  for (int i = 0; i < x.dims(); ++i) {
    const std::int64_t size = x.shape()[i];
    if (repeats[i] != 1 && size != 1) {
      single.push_back(1);
      expanded.push_back(repeats[i]);
    }
    single.push_back(size);
    expanded.push_back(size == 1 ? repeats[i] : size);
  }
  return x.reshape(single).expand(expanded).reshape(result);
}

void check_repeats(const char* op, std::int64_t repeats) {
  if (repeats < 0) fail("{}: {} repeats", op, repeats);
}

Tensor rolled(const Tensor& x, std::int64_t shift, int dim) {
  const std::int64_t size = x.shape()[dim];
  if (size == 0) return x;
  const std::int64_t back = shift % size < 0 ? shift % size + size : shift % size;
  if (back == 0) return x;
  return cat({x.narrow(dim, size - back, back), x.narrow(dim, 0, size - back)}, dim);
}

}  // namespace

Tensor Tensor::roll(const Shape& shifts, const Dims& along) const {
  ops::check_defined("roll", *this);
  if (shifts.dims() != along.dims()) {
    fail("roll: shifts {} and dimensions {} are not as many", shifts.to_string(), along.to_string());
  }
  for (const std::int64_t dim : along) (void)normalize_dim("roll", dim, dims());
  Tensor result = *this;
  for (int i = 0; i < shifts.dims(); ++i) {
    result = rolled(result, shifts[i], normalize_dim("roll", along[i], dims()));
  }
  return apart(result, *this);
}

Tensor Tensor::roll(std::int64_t shift) const {
  ops::check_defined("roll", *this);
  return apart(rolled(reshape({numel()}), shift, 0), *this).reshape(shape());
}

Tensor Tensor::repeat(const Shape& repeats) const {
  ops::check_defined("repeat", *this);
  for (const std::int64_t count : repeats) check_repeats("repeat", count);
  if (repeats.dims() < dims()) {
    fail("repeat: repeats {} for shape {}: one a dimension is wanted", repeats.to_string(), shape().to_string());
  }
  Shape padded;
  for (int i = dims(); i < repeats.dims(); ++i) padded.push_back(1);
  for (const std::int64_t size : shape()) padded.push_back(size);
  return apart(repeated(reshape(padded), repeats), *this);
}

Tensor Tensor::tile(const Shape& repeats) const {
  ops::check_defined("tile", *this);
  for (const std::int64_t count : repeats) check_repeats("tile", count);
  Shape padded;
  for (int i = repeats.dims(); i < dims(); ++i) padded.push_back(1);
  for (const std::int64_t count : repeats) padded.push_back(count);
  return repeat(padded);
}

Tensor Tensor::repeat_interleave(std::int64_t repeats) const {
  ops::check_defined("repeat_interleave", *this);
  return reshape({numel()}).repeat_interleave(repeats, 0);
}

Tensor Tensor::repeat_interleave(std::int64_t repeats, std::int64_t dim) const {
  ops::check_defined("repeat_interleave", *this);
  check_repeats("repeat_interleave", repeats);
  const int along = normalize_dim("repeat_interleave", dim, dims());
  // Dimensions before and behind are one each: with the new one they fit whatever dims() is.
  const auto [before, behind] = around(shape(), along);
  Shape result = shape();
  const std::int64_t size = shape()[along];
  if (__builtin_mul_overflow(size, repeats, &result[along])) {
    fail("repeat_interleave: {} times {} are too many elements", repeats, size);
  }
  return apart(reshape({before, size, 1, behind}).expand({before, size, repeats, behind}).reshape(result), *this);
}

Tensor Tensor::repeat_interleave(const Tensor& repeats, std::int64_t dim) const {
  ops::check_defined("repeat_interleave", *this);
  ops::check_defined("repeat_interleave", repeats);
  const int along = normalize_dim("repeat_interleave", dim, dims());
  if (repeats.dtype() != DType::int64 && repeats.dtype() != DType::int32) {
    fail("repeat_interleave: the repeats must be int64 or int32, got {}", name_of(repeats.dtype()));
  }
  const std::int64_t size = shape()[along];
  if (repeats.dims() > 1 || (repeats.numel() != size && repeats.numel() != 1)) {
    fail("repeat_interleave: repeats of shape {} for dimension {} of {}", repeats.shape().to_string(), dim,
         shape().to_string());
  }
  const Tensor counts = repeats.to(DType::int64).contiguous();
  const std::int64_t* count = counts.data<std::int64_t>();
  if (repeats.numel() == 1) return repeat_interleave(count[0], along);
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    check_repeats("repeat_interleave", count[i]);
    if (__builtin_add_overflow(total, count[i], &total)) fail("repeat_interleave: too many elements");
  }
  const Tensor positions = empty({total}, DType::int64);
  std::int64_t* to = positions.data<std::int64_t>();
  for (std::int64_t i = 0; i < size; ++i) to = std::fill_n(to, count[i], i);
  return index_select(along, positions);
}

}  // namespace feral
