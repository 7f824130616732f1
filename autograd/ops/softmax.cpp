#include "autograd/ops/softmax.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"
#include "autograd/ops/reduction.hpp"

namespace feral::ops {
namespace {

Result softmax_result(std::string_view op, int dim, const Tensor& x) {
  check_floating(op, x);
  (void)normalize_reduced_dim(op, dim, x.dims());
  return {x.shape(), x.dtype(), x.device()};
}

// Along `dim`, which stays.
Tensor sum_along(const Tensor& x, int dim) {
  return apply<Sum>({.dims = x.dims() == 0 ? DimSet{} : DimSet::of(dim), .keepdim = true}, x);
}

}  // namespace

Result Softmax::infer(const Attributes& attributes, const Tensor& x) {
  return softmax_result(name, attributes.dim, x);
}

void Softmax::run(const Attributes& attributes, const Tensor& out, Aux<Softmax>&, const Tensor& x) {
  kernels(out.device()).softmax(out, x, attributes.dim, false);
}

Gradients<1> Softmax::gradient(const Saved<Softmax>& saved, const Tensor& gradient) {
  // d/dx = y * (g - sum(g * y))
  const Tensor y = saved.output();
  return {y * (gradient - sum_along(gradient * y, saved.attributes().dim))};
}

Result LogSoftmax::infer(const Attributes& attributes, const Tensor& x) {
  return softmax_result(name, attributes.dim, x);
}

void LogSoftmax::run(const Attributes& attributes, const Tensor& out, Aux<LogSoftmax>&, const Tensor& x) {
  kernels(out.device()).softmax(out, x, attributes.dim, true);
}

Gradients<1> LogSoftmax::gradient(const Saved<LogSoftmax>& saved, const Tensor& gradient) {
  // d/dx = g - softmax(x) * sum(g)
  return {gradient - saved.output().exp() * sum_along(gradient, saved.attributes().dim)};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::softmax(std::int64_t dim) const {
  ops::check_defined("softmax", *this);
  return ops::of_float<ops::Softmax>(*this, {.dim = normalize_reduced_dim("softmax", dim, dims())});
}

Tensor Tensor::log_softmax(std::int64_t dim) const {
  ops::check_defined("log_softmax", *this);
  return ops::of_float<ops::LogSoftmax>(*this, {.dim = normalize_reduced_dim("log_softmax", dim, dims())});
}

}  // namespace feral
