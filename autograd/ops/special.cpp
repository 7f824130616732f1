#include "autograd/ops/special.hpp"

#include <limits>
#include <numbers>

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {

Tensor Erfinv::derivative(const Saved<Erfinv>& node) {
  return node.output().square().exp() * (0.5 / std::numbers::inv_sqrtpi);
}
Tensor Lgamma::derivative(const Saved<Lgamma>& node) { return node.input(0).digamma(); }
Tensor Digamma::derivative(const Saved<Digamma>& node) { return apply<Polygamma>({.order = 1}, node.input(0)); }
Tensor Logit::derivative(const Saved<Logit>& node) {
  const Tensor& x = node.input(0);
  const Tensor slope = (x * (1 - x)).reciprocal();
  // There is none outside of [0, 1].
  const Tensor none = Tensor::full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
  return where(x.ge(0).mul(x.le(1)), slope, none);
}
Tensor Sinc::derivative(const Saved<Sinc>& node) {
  // (cos πx - sinc x) / x, whose terms cancel near 0: there the Taylor series, with t = (πx)².
  constexpr double pi = std::numbers::pi;
  const Tensor& x = node.input(0);
  const Tensor near_zero = x.abs().lt(0.25);
  const Tensor one = Tensor::ones({}, x.dtype());
  const Tensor near = where(near_zero, x, Tensor::zeros({}, x.dtype()));
  const Tensor far = where(near_zero, one, x);
  const Tensor t = near.square() * (pi * pi);
  // The series of sin u / u, derived term by term: -2k (-t)^(k-1) / (2k+1)! ...
  Tensor series = Tensor::zeros({}, x.dtype());
  double factorial = 1;
  double coefficients[8];
  for (int k = 1; k <= 8; ++k) {
    factorial *= (2 * k) * (2 * k + 1);
    coefficients[k - 1] = (k % 2 == 0 ? 1 : -1) * 2 * k / factorial;
  }
  for (int k = 8; k >= 1; --k) series = series * t + coefficients[k - 1];
  return where(near_zero, series * near * (pi * pi), ((far * pi).cos() - far.sinc()) / far);
}

Result Polygamma::infer(const Attributes& attributes, const Tensor& x) {
  if (attributes.order < 1) fail("{}: order {} is none", name, attributes.order);
  return unary_result(name, x);
}
void Polygamma::run(const Attributes& attributes, const Tensor& out, Aux<Polygamma>&, const Tensor& x) {
  kernels(out.device())
      .parametric(ParametricKernel::polygamma, out, x, {static_cast<double>(attributes.order), 0, 0});
}
Gradients<1> Polygamma::gradient(const Saved<Polygamma>& saved, const Tensor& gradient) {
  return {gradient * apply<Polygamma>({.order = saved.attributes().order + 1}, saved.input(0))};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::erfinv() const { return ops::of_float<ops::Erfinv>(*this); }
Tensor Tensor::lgamma() const { return ops::of_float<ops::Lgamma>(*this); }
Tensor Tensor::digamma() const { return ops::of_float<ops::Digamma>(*this); }
Tensor Tensor::logit() const { return ops::of_float<ops::Logit>(*this); }
Tensor Tensor::sinc() const { return ops::of_float<ops::Sinc>(*this); }
Tensor Tensor::frac() const { return ops::of_float<ops::Frac>(*this); }
Tensor Tensor::deg2rad() const {
  ops::check_defined("deg2rad", *this);
  return mul(std::numbers::pi / 180);
}
Tensor Tensor::rad2deg() const {
  ops::check_defined("rad2deg", *this);
  return mul(180 / std::numbers::pi);
}

}  // namespace feral
