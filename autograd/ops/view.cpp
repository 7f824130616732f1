#include "autograd/ops/view.hpp"

#include <optional>

#include "autograd/ops/check.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

// Another look at x's memory, starting `offset` elements further on.
Tensor look(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t offset = 0) {
  std::byte* data = x.raw_data() + offset * static_cast<std::int64_t>(size_of(x.dtype()));
  TensorImpl* view = TensorImpl::create(x.impl()->storage, data, shape, strides, x.dtype());
  view->storage->retain();
  return Tensor::adopt(view);
}

// The strides with which x's memory has `shape`, or nothing. NumPy's rule: walk both shapes from the end in groups
// of equal size; a group of x must be laid out without gaps.
std::optional<Shape> view_strides(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous()) return shape.contiguous_strides();
  Shape strides = shape;
  int source = x.dims() - 1;
  int target = shape.dims() - 1;
  while (target >= 0) {
    while (source >= 0 && x.shape()[source] == 1) --source;
    if (source < 0) {  // only sizes of 1 are left
      for (; target >= 0; --target) strides[target] = 1;
      break;
    }
    std::int64_t source_size = x.shape()[source];
    std::int64_t reach = x.strides()[source] * source_size;  // the stride that continues the group
    std::int64_t target_size = 1;
    std::int64_t next = x.strides()[source];
    while (target >= 0 && target_size < source_size) {
      strides[target] = next;
      next *= shape[target];
      target_size *= shape[target];
      --target;
      while (target_size > source_size && source > 0) {  // the group of x grows by its next dimension
        --source;
        if (x.shape()[source] == 1) continue;
        if (x.strides()[source] != reach) return std::nullopt;
        source_size *= x.shape()[source];
        reach *= x.shape()[source];
      }
    }
    if (target_size != source_size) return std::nullopt;
    --source;
  }
  return strides;
}

Shape completed(const Shape& shape, const Tensor& x) {
  Shape result = shape;
  int unknown = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.dims(); ++i) {
    if (shape[i] < -1) fail("reshape: negative size in {}", shape.to_string());
    if (shape[i] != -1) {
      if (__builtin_mul_overflow(known, shape[i], &known)) {
        fail("reshape: shape {} with {} elements does not fit {}", x.shape().to_string(), x.numel(),
             shape.to_string());
      }
    } else if (unknown >= 0) {
      fail("reshape: more than one -1 in {}", shape.to_string());
    } else {
      unknown = i;
    }
  }
  if (unknown >= 0 && known > 0 && x.numel() % known == 0) result[unknown] = x.numel() / known;
  if (unknown >= 0 && result[unknown] == -1) {
    fail("reshape: shape {} with {} elements does not fit {}", x.shape().to_string(), x.numel(), shape.to_string());
  }
  if (result.numel() != x.numel()) {
    fail("reshape: shape {} has {} elements, {} has {}", x.shape().to_string(), x.numel(), shape.to_string(),
         result.numel());
  }
  return result;
}

}  // namespace

Tensor View::view(const Attributes& attributes, const Tensor& x) {
  return look(x, attributes.shape, attributes.strides);
}

Gradients<1> View::gradient(const Saved<View>& saved, const Tensor& gradient) {
  return {gradient.reshape(saved.input_shape(0))};
}

Tensor Transpose::view(const Attributes& attributes, const Tensor& x) {
  Shape shape = x.shape();
  Shape strides = x.strides();
  std::swap(shape[attributes.dim0], shape[attributes.dim1]);
  std::swap(strides[attributes.dim0], strides[attributes.dim1]);
  return look(x, shape, strides);
}

Gradients<1> Transpose::gradient(const Saved<Transpose>& saved, const Tensor& gradient) {
  return {gradient.transpose(saved.attributes().dim0, saved.attributes().dim1)};
}

Tensor Expand::view(const Attributes& attributes, const Tensor& x) {
  const Shape& shape = attributes.shape;
  const int lead = shape.dims() - x.dims();
  if (lead < 0 || !(broadcast_shapes(name, x.shape(), shape) == shape)) {
    fail("{}: shape {} does not broadcast to {}", name, x.shape().to_string(), shape.to_string());
  }
  Shape strides = shape;
  for (int i = 0; i < shape.dims(); ++i) {
    strides[i] = i < lead || x.shape()[i - lead] != shape[i] ? 0 : x.strides()[i - lead];
  }
  return look(x, shape, strides);
}

Gradients<1> Expand::gradient(const Saved<Expand>& saved, const Tensor& gradient) {
  return {gradient.sum_to(saved.input_shape(0))};
}

Tensor Narrow::view(const Attributes& attributes, const Tensor& x) {
  Shape shape = x.shape();
  shape[attributes.dim] = attributes.length;
  return look(x, shape, x.strides(), attributes.start * x.strides()[attributes.dim]);
}

Gradients<1> Narrow::gradient(const Saved<Narrow>& saved, const Tensor& gradient) {
  return {apply<NarrowBackward>(
      {.shape = saved.input_shape(0), .dim = saved.attributes().dim, .start = saved.attributes().start}, gradient)};
}

Result NarrowBackward::infer(const Attributes& attributes, const Tensor& x) {
  check_floating(name, x);
  Shape expected = attributes.shape;
  if (x.dims() == expected.dims()) expected[attributes.dim] = x.shape()[attributes.dim];
  if (!(x.shape() == expected) || attributes.start > attributes.shape[attributes.dim] - expected[attributes.dim]) {
    fail("{}: {} does not lie in {} from {} on", name, x.shape().to_string(), attributes.shape.to_string(),
         attributes.start);
  }
  return {attributes.shape, x.dtype(), x.device()};
}

void NarrowBackward::run(const Attributes& attributes, const Tensor& out, Aux<NarrowBackward>&, const Tensor& x) {
  const Kernels& device = kernels(out.device());
  device.fill(out, 0);
  const Tensor part =
      Narrow::view({.dim = attributes.dim, .start = attributes.start, .length = x.shape()[attributes.dim]}, out);
  device.copy(part, x);
}

Gradients<1> NarrowBackward::gradient(const Saved<NarrowBackward>& saved, const Tensor& gradient) {
  const int dim = saved.attributes().dim;
  return {gradient.narrow(dim, saved.attributes().start, saved.input_shape(0)[dim])};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::reshape(const Shape& target) const {
  ops::check_defined("reshape", *this);
  const Shape complete = ops::completed(target, *this);
  if (complete == shape()) return *this;
  if (const auto strides = ops::view_strides(*this, complete)) {
    return apply<ops::View>({.shape = complete, .strides = *strides}, *this);
  }
  return apply<ops::View>({.shape = complete, .strides = complete.contiguous_strides()}, clone());
}

Tensor Tensor::flatten(std::int64_t start_dim) const {
  ops::check_defined("flatten", *this);
  Shape target;
  const int start = dims() == 0 ? 0 : normalize_dim("flatten", start_dim, dims());
  std::int64_t rest = 1;
  for (int i = 0; i < dims(); ++i) {
    if (i < start) {
      target.push_back(shape()[i]);
    } else {
      rest *= shape()[i];
    }
  }
  target.push_back(rest);
  return reshape(target);
}

Tensor Tensor::transpose(std::int64_t dim0, std::int64_t dim1) const {
  ops::check_defined("transpose", *this);
  return apply<ops::Transpose>(
      {.dim0 = normalize_dim("transpose", dim0, dims()), .dim1 = normalize_dim("transpose", dim1, dims())}, *this);
}

Tensor Tensor::expand(const Shape& target) const {
  ops::check_defined("expand", *this);
  if (shape() == target) return *this;
  return apply<ops::Expand>({.shape = target}, *this);
}

Tensor Tensor::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  ops::check_defined("narrow", *this);
  const int normalized = normalize_dim("narrow", dim, dims());
  const std::int64_t available = shape()[normalized];
  if (start < 0 || length < 0 || start > available - length) {
    fail("narrow: {} elements from {} on reach past the {} of dimension {}", length, start, available, dim);
  }
  return apply<ops::Narrow>({.dim = normalized, .start = start, .length = length}, *this);
}

}  // namespace feral
