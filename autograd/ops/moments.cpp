#include "autograd/ops/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/extreme.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {
namespace {

Result moment_result(std::string_view op, const Reduction& reduction, const Tensor& x) {
  check_floating(op, x);
  return {reduced_shape(x.shape(), reduction.dims, reduction.keepdim), x.dtype(), x.device()};
}

double degrees(const Shape& shape, const VarAttributes& attributes) {
  return std::max(0.0,
                  static_cast<double>(reduced_count(shape, attributes.reduction.dims)) - attributes.correction);
}

Tensor deviations(const Tensor& x, DimSet dims) { return x - apply<Mean>({.dims = dims, .keepdim = true}, x); }

Tensor number_like(const Tensor& x, double number) { return Tensor::full({}, number, x.dtype()); }

// x, with 1 in the place of 0: something to divide by.
Tensor nonzero(const Tensor& x) { return where(x.eq(0), number_like(x, 1), x); }

}  // namespace

Result Var::infer(const VarAttributes& attributes, const Tensor& x) {
  return moment_result(name, attributes.reduction, x);
}

void Var::run(const VarAttributes& attributes, const Tensor& out, Aux<Var>&, const Tensor& x) {
  kernels(out.device()).var(out, x, attributes.reduction.dims, attributes.correction, false);
}

Gradients<1> Var::gradient(const Saved<Var>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const DimSet dims = saved.attributes().reduction.dims;
  const Tensor scaled = gradient.affine(2 / degrees(x.shape(), saved.attributes()), 0);
  return {with_reduced_dims(scaled, x.shape(), dims) * deviations(x, dims)};
}

Result Std::infer(const VarAttributes& attributes, const Tensor& x) {
  return moment_result(name, attributes.reduction, x);
}

void Std::run(const VarAttributes& attributes, const Tensor& out, Aux<Std>&, const Tensor& x) {
  kernels(out.device()).var(out, x, attributes.reduction.dims, attributes.correction, true);
}

Gradients<1> Std::gradient(const Saved<Std>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const DimSet dims = saved.attributes().reduction.dims;
  const Tensor out = saved.output();
  const Tensor scaled = gradient.affine(1 / degrees(x.shape(), saved.attributes()), 0) / nonzero(out);
  const Tensor flat = where(out.eq(0), number_like(x, 0), scaled);
  return {with_reduced_dims(flat, x.shape(), dims) * deviations(x, dims)};
}

Result Norm::infer(const Attributes& attributes, const Tensor& x) {
  return moment_result(name, attributes.reduction, x);
}

void Norm::run(const Attributes& attributes, const Tensor& out, Aux<Norm>&, const Tensor& x) {
  kernels(out.device()).norm(out, x, attributes.reduction.dims, attributes.p);
}

Gradients<1> Norm::gradient(const Saved<Norm>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const double p = saved.attributes().p;
  const DimSet dims = saved.attributes().reduction.dims;
  const Tensor arriving = with_reduced_dims(gradient, x.shape(), dims);
  if (p == 0) return {Tensor::zeros(x.shape(), x.dtype())};
  if (p == 1) return {arriving * x.sign()};
  const Tensor out = with_reduced_dims(saved.output(), x.shape(), dims);
  if (std::isinf(p)) return {x.sign() * shared_gradient(x.abs(), out, arriving, dims)};
  if (p == 2) return {arriving / nonzero(out) * x};
  // sign(x) (|x| / norm)^(p - 1), and 0 where x is.
  const Tensor safe = nonzero(x);
  const Tensor power = where(x.eq(0), number_like(x, 0), safe.sign() * safe.abs().pow(p - 1));
  return {arriving * nonzero(out).pow(1 - p) * power};
}

Result Logsumexp::infer(const Reduction& attributes, const Tensor& x) { return moment_result(name, attributes, x); }

void Logsumexp::run(const Reduction& attributes, const Tensor& out, Aux<Logsumexp>&, const Tensor& x) {
  kernels(out.device()).logsumexp(out, x, attributes.dims);
}

Gradients<1> Logsumexp::gradient(const Saved<Logsumexp>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const DimSet dims = saved.attributes().dims;
  const Tensor out = with_reduced_dims(saved.output(), x.shape(), dims);
  const Tensor nothing = out.eq(-std::numeric_limits<double>::infinity());  // only -inf was there
  const Tensor shift = where(nothing, number_like(x, 0), out);
  return {with_reduced_dims(gradient, x.shape(), dims) * (x - shift).exp()};
}

namespace {

template <class Op>
Tensor spread(const Tensor& x, const Dims& over, double correction, bool keepdim) {
  check_defined(Op::name, x);
  const Reduction reduction{.dims = reduced_dims(Op::name, over, x.dims()), .keepdim = keepdim};
  return of_float<Op>(x, {.reduction = reduction, .correction = correction});
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::var() const { return var(Dims()); }
Tensor Tensor::var(const Dims& over, double correction, bool keepdim) const {
  return ops::spread<ops::Var>(*this, over, correction, keepdim);
}
Tensor Tensor::std() const { return std(Dims()); }
Tensor Tensor::std(const Dims& over, double correction, bool keepdim) const {
  return ops::spread<ops::Std>(*this, over, correction, keepdim);
}

Tensor Tensor::norm(double p) const { return norm(p, Dims()); }
Tensor Tensor::norm(double p, const Dims& over, bool keepdim) const {
  ops::check_defined("norm", *this);
  const ops::Reduction reduction{.dims = reduced_dims("norm", over, dims()), .keepdim = keepdim};
  return ops::of_float<ops::Norm>(*this, {.reduction = reduction, .p = p});
}

Tensor Tensor::logsumexp(const Dims& over, bool keepdim) const {
  ops::check_defined("logsumexp", *this);
  return ops::of_float<ops::Logsumexp>(*this,
                                       {.dims = reduced_dims("logsumexp", over, dims()), .keepdim = keepdim});
}

}  // namespace feral
