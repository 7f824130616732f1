#include "autograd/ops/arrange.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "autograd/ops/check.hpp"
#include "autograd/ops/view_part.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

Result triangle_result(std::string_view op, const Tensor& x) {
  check_defined(op, x);
  if (x.dims() < 2) fail("{}: a matrix has two dimensions at least, got shape {}", op, x.shape().to_string());
  return {x.shape(), x.dtype(), x.device()};
}

}  // namespace

Result Flip::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  bool seen[Shape::max_dims] = {};
  for (const std::int64_t dim : attributes.dims) {
    if (std::exchange(seen[dim], true)) fail("{}: dimension {} is named twice", name, dim);
  }
  return {x.shape(), x.dtype(), x.device()};
}

void Flip::run(const Attributes& attributes, const Tensor& out, Aux<Flip>&, const Tensor& x) {
  if (x.numel() == 0) return;
  Shape strides = x.strides();
  std::int64_t offset = 0;
  for (const std::int64_t d : attributes.dims) {
    const int dim = static_cast<int>(d);
    offset += (x.shape()[dim] - 1) * strides[dim];
    strides[dim] = -strides[dim];
  }
  kernels(out.device()).copy(out, look(x, {x.shape(), strides, offset}));
}

Gradients<1> Flip::gradient(const Saved<Flip>& saved, const Tensor& gradient) {
  return {apply<Flip>(saved.attributes(), gradient)};
}

Result Tril::infer(const Attributes&, const Tensor& x) { return triangle_result(name, x); }
void Tril::run(const Attributes& attributes, const Tensor& out, Aux<Tril>&, const Tensor& x) {
  kernels(out.device()).triangle(out, x, attributes.diagonal, false);
}
Gradients<1> Tril::gradient(const Saved<Tril>& saved, const Tensor& gradient) {
  return {apply<Tril>(saved.attributes(), gradient)};
}

Result Triu::infer(const Attributes&, const Tensor& x) { return triangle_result(name, x); }
void Triu::run(const Attributes& attributes, const Tensor& out, Aux<Triu>&, const Tensor& x) {
  kernels(out.device()).triangle(out, x, attributes.diagonal, true);
}
Gradients<1> Triu::gradient(const Saved<Triu>& saved, const Tensor& gradient) {
  return {apply<Triu>(saved.attributes(), gradient)};
}

Result Diag::infer(const Attributes& attributes, const Tensor& x) {
  check_dims(name, "the diagonal", x, 1);
  std::int64_t side = 0;
  if (attributes.diagonal == std::numeric_limits<std::int64_t>::min() ||
      __builtin_add_overflow(x.numel(), std::abs(attributes.diagonal), &side)) {
    fail("{}: diagonal {} is too far out", name, attributes.diagonal);
  }
  return {{side, side}, x.dtype(), x.device()};
}

void Diag::run(const Attributes& attributes, const Tensor& out, Aux<Diag>&, const Tensor& x) {
  const Kernels& device = kernels(out.device());
  device.fill(out, 0);
  device.copy(Diagonal::view({.offset = attributes.diagonal}, out), x);
}

Gradients<1> Diag::gradient(const Saved<Diag>& saved, const Tensor& gradient) {
  return {gradient.diagonal(saved.attributes().diagonal)};
}

Result OneHot::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  if (x.dtype() != DType::int64 && x.dtype() != DType::int32) {
    fail("{}: expected int64 or int32, got {}; convert with to()", name, name_of(x.dtype()));
  }
  const std::int64_t classes = attributes.classes;
  if (classes < -1) fail("{}: {} classes", name, classes);
  if (x.numel() == 0 && classes <= 0) {
    fail("{}: the number of classes cannot be told from an empty tensor of shape {}", name, x.shape().to_string());
  }
  Shape shape = x.shape();
  shape.push_back(classes);
  if (x.numel() == 0) return {shape, DType::int64, x.device()};
  const IntegerRange range = kernels(x.device()).integer_range(x);
  if (range.smallest < 0) fail("{}: class {} is negative", name, range.smallest);
  if (classes != -1 && range.largest >= classes) {
    fail("{}: class {} is not below the {} classes", name, range.largest, classes);
  }
  if (classes == -1) {
    if (range.largest == std::numeric_limits<std::int64_t>::max())
      fail("{}: class {} is too large", name, range.largest);
    shape[x.dims()] = range.largest + 1;
  }
  return {shape, DType::int64, x.device()};
}

void OneHot::run(const Attributes&, const Tensor& out, Aux<OneHot>&, const Tensor& x) {
  kernels(out.device()).one_hot(out, x);
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::flip(const Dims& flipped) const {
  ops::check_defined("flip", *this);
  Shape normalized;
  for (const std::int64_t dim : flipped) {
    const int of = normalize_dim("flip", dim, dims() == 0 ? 1 : dims());
    if (dims() > 0) normalized.push_back(of);
  }
  return apply<ops::Flip>({.dims = normalized}, *this);
}

Tensor Tensor::rot90(std::int64_t times, std::int64_t dim0, std::int64_t dim1) const {
  ops::check_defined("rot90", *this);
  if (dims() < 2) fail("rot90: a plane has two dimensions, got shape {}", shape().to_string());
  const int first = normalize_dim("rot90", dim0, dims());
  const int second = normalize_dim("rot90", dim1, dims());
  if (first == second) fail("rot90: dimension {} is named twice", dim0);
  switch (times % 4 < 0 ? times % 4 + 4 : times % 4) {
    case 1:
      return flip(second).transpose(first, second);
    case 2:
      return flip({first, second});
    case 3:
      return flip(first).transpose(first, second);
    default:
      return clone();
  }
}

Tensor Tensor::tril(std::int64_t diagonal) const { return apply<ops::Tril>({.diagonal = diagonal}, *this); }
Tensor Tensor::triu(std::int64_t diagonal) const { return apply<ops::Triu>({.diagonal = diagonal}, *this); }

Tensor Tensor::diag(std::int64_t diagonal) const {
  ops::check_defined("diag", *this);
  if (dims() == 2) return this->diagonal(diagonal).clone();
  if (dims() != 1) fail("diag: a vector or a matrix is wanted, got shape {}", shape().to_string());
  return apply<ops::Diag>({.diagonal = diagonal}, *this);
}

Tensor Tensor::one_hot(std::int64_t classes) const { return apply<ops::OneHot>({.classes = classes}, *this); }

}  // namespace feral
