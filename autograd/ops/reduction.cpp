#include "autograd/ops/reduction.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {

Result SumTo::infer(const Attributes& attributes, const Tensor& x) {
  check_floating(name, x);
  if (!(broadcast_shapes(name, attributes.shape, x.shape()) == x.shape())) {
    fail("{}: shape {} does not broadcast to {}", name, attributes.shape.to_string(), x.shape().to_string());
  }
  return {attributes.shape, x.dtype(), x.device()};
}

void SumTo::run(const Attributes&, const Tensor& out, Aux<SumTo>&, const Tensor& x) {
  kernels(out.device()).sum_to(out, x);
}

Gradients<1> SumTo::gradient(const Saved<SumTo>& saved, const Tensor& gradient) {
  return {gradient.expand(saved.input_shape(0))};
}

Result Argmax::infer(const Attributes& attributes, const Tensor& x) {
  if (x.shape()[attributes.dim] == 0)
    fail("{}: dimension {} of {} is empty", name, attributes.dim, x.shape().to_string());
  Shape shape;
  for (int i = 0; i < x.dims(); ++i) {
    if (i != attributes.dim) shape.push_back(x.shape()[i]);
  }
  return {shape, DType::int64, x.device()};
}

void Argmax::run(const Attributes& attributes, const Tensor& out, Aux<Argmax>&, const Tensor& x) {
  kernels(out.device()).argmax(out, x, attributes.dim);
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::sum_to(const Shape& target) const {
  ops::check_defined("sum_to", *this);
  if (shape() == target) return *this;
  return apply<ops::SumTo>({.shape = target}, *this);
}

Tensor Tensor::sum() const { return apply<ops::SumTo>({.shape = Shape{}}, *this); }

Tensor Tensor::mean() const {
  ops::check_defined("mean", *this);
  if (numel() == 0) fail("mean: a tensor of shape {} has no elements", shape().to_string());
  return sum().affine(1.0 / static_cast<double>(numel()), 0);
}

Tensor Tensor::sum(const Dims& dims_to_sum, bool keepdim) const {
  ops::check_defined("sum", *this);
  Shape kept = shape();
  bool summed[Shape::max_dims] = {};
  for (const std::int64_t dim : dims_to_sum) {
    const int normalized = normalize_dim("sum", dim, dims());
    if (summed[normalized]) fail("sum: dimension {} is named twice", dim);
    summed[normalized] = true;
    kept[normalized] = 1;
  }
  Tensor result = apply<ops::SumTo>({.shape = kept}, *this);
  if (keepdim) return result;
  Shape dropped;
  for (int i = 0; i < dims(); ++i) {
    if (!summed[i]) dropped.push_back(shape()[i]);
  }
  return result.reshape(dropped);
}

Tensor Tensor::argmax(std::int64_t dim, bool) const {
  ops::check_defined("argmax", *this);
  return apply<ops::Argmax>({.dim = normalize_dim("argmax", dim, dims())}, *this);
}

}  // namespace feral
