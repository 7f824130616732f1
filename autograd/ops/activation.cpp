#include "autograd/ops/activation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/promoted.hpp"
#include "tensor/half.hpp"

namespace feral::ops {
namespace {

Tensor number(double value, const Tensor& like) { return Tensor::full({}, value, like.dtype()); }

// An integer bound beside integers of `dtype`: cut to what the type holds, where it would wrap around. A bound
// beyond all of them bounds nothing.
Scalar within(Scalar bound, DType dtype) {
  return visit_dtype(dtype, [&]<class T>() -> Scalar {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      constexpr auto smallest = static_cast<std::int64_t>(std::numeric_limits<T>::min());
      constexpr auto largest = static_cast<std::int64_t>(std::numeric_limits<T>::max());
      if (!bound.floating) return std::clamp(bound.integer, smallest, largest);
      if (bound.value <= static_cast<double>(smallest)) return smallest;
      if (bound.value >= static_cast<double>(largest)) return largest;
      return static_cast<std::int64_t>(bound.value);
    }
    return bound;
  });
}

// The density of the normal distribution.
Tensor normal_density(const Tensor& x) {
  return (x.square() * -0.5).exp() * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
}

}  // namespace

Tensor Gelu::derivative(const Saved<Gelu>& saved) { return apply<GeluSlope>({}, saved.input(0)); }
Tensor GeluSlope::derivative(const Saved<GeluSlope>& saved) {
  const Tensor& x = saved.input(0);
  return (2 - x.square()) * normal_density(x);
}

Tensor GeluTanh::derivative(const Saved<GeluTanh>& saved) { return apply<GeluTanhSlope>({}, saved.input(0)); }
Tensor GeluTanhSlope::derivative(const Saved<GeluTanhSlope>& saved) {
  // Of (1 + t) / 2 + x s u' / 2 with t = tanh u, s = 1 - t², u = c (x + 0.044715 x³).
  constexpr double c = 0.797884560802865355879892119868763737;  // √(2/π)
  const Tensor& x = saved.input(0);
  const Tensor square = x.square();
  const Tensor t = (x * (square * 0.044715 + 1) * c).tanh();
  const Tensor first = (square * (3 * 0.044715) + 1) * c;
  const Tensor second = x * (6 * 0.044715 * c);
  return (1 - t.square()) * (first + x * 0.5 * second - x * t * first.square());
}

Tensor Silu::derivative(const Saved<Silu>& saved) { return apply<SiluSlope>({}, saved.input(0)); }
Tensor SiluSlope::derivative(const Saved<SiluSlope>& saved) {
  const Tensor& x = saved.input(0);
  const Tensor s = x.sigmoid();
  return s * (1 - s) * (2 + x * (1 - 2 * s));
}

Tensor Mish::derivative(const Saved<Mish>& saved) {
  const Tensor& x = saved.input(0);
  const Tensor t = x.softplus().tanh();
  return t + x * (1 - t.square()) * x.sigmoid();
}

Tensor Logsigmoid::derivative(const Saved<Logsigmoid>& saved) { return saved.input(0).neg().sigmoid(); }

void Elu::run(const Attributes& attributes, const Tensor& out, Aux<Elu>&, const Tensor& x) {
  kernels(out.device()).parametric(ParametricKernel::elu, out, x, {attributes.alpha, 0, 0});
}
Gradients<1> Elu::gradient(const Saved<Elu>& saved, const Tensor& gradient) {
  const Tensor below = saved.output() + saved.attributes().alpha;
  return {gradient * where(saved.input(0).gt(0), number(1, gradient), below)};
}

void LeakyRelu::run(const Attributes& attributes, const Tensor& out, Aux<LeakyRelu>&, const Tensor& x) {
  kernels(out.device()).parametric(ParametricKernel::leaky_relu, out, x, {attributes.slope, 0, 0});
}
Gradients<1> LeakyRelu::gradient(const Saved<LeakyRelu>& saved, const Tensor& gradient) {
  return {where(saved.input(0).gt(0), gradient, gradient * saved.attributes().slope)};
}

void Clamp::run(const Attributes& attributes, const Tensor& out, Aux<Clamp>&, const Tensor& x) {
  kernels(out.device()).parametric(ParametricKernel::clamp, out, x, {attributes.low, attributes.high, 0});
}
Gradients<1> Clamp::gradient(const Saved<Clamp>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const auto& [low, high, with_bounds] = saved.attributes();
  const Tensor within = with_bounds ? x.ge(low).mul(x.le(high)) : x.gt(low).mul(x.lt(high));
  return {where(within, gradient, number(0, gradient))};
}

void NanToNum::run(const Attributes& attributes, const Tensor& out, Aux<NanToNum>&, const Tensor& x) {
  const auto& [nan, positive, negative] = attributes;
  kernels(out.device()).parametric(ParametricKernel::nan_to_num, out, x, {nan, positive, negative});
}
Gradients<1> NanToNum::gradient(const Saved<NanToNum>& saved, const Tensor& gradient) {
  return {where(saved.input(0).isfinite(), gradient, number(0, gradient))};
}

}  // namespace feral::ops

namespace feral {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double largest(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return std::numeric_limits<double>::max();
    case DType::float16:
      return 65504;
    case DType::bfloat16:
      return BFloat16::from_bits(0x7f7f);
    default:
      return std::numeric_limits<float>::max();
  }
}

}  // namespace

Tensor Tensor::gelu(bool tanh_approximation) const {
  ops::check_defined("gelu", *this);
  return tanh_approximation ? ops::of_float_alone<ops::GeluTanh>(*this) : ops::of_float_alone<ops::Gelu>(*this);
}
Tensor Tensor::silu() const { return ops::of_float_alone<ops::Silu>(*this); }
Tensor Tensor::mish() const { return ops::of_float_alone<ops::Mish>(*this); }
Tensor Tensor::logsigmoid() const { return ops::of_float_alone<ops::Logsigmoid>(*this); }
Tensor Tensor::elu(double alpha) const { return ops::of_float_alone<ops::Elu>(*this, {.alpha = alpha}); }
Tensor Tensor::leaky_relu(double slope) const {
  return ops::of_float_alone<ops::LeakyRelu>(*this, {.slope = slope});
}
Tensor Tensor::hardtanh(double low, double high) const {
  ops::check_defined("hardtanh", *this);
  if (dtype() == DType::boolean) fail("hardtanh: bool is no number; convert with to()");
  if (low > high) fail("hardtanh: the bounds {} and {} are in the wrong order", low, high);
  if (!is_floating(dtype())) return clamp(ops::within(low, dtype()), ops::within(high, dtype()));
  return ops::of_float<ops::Clamp>(*this, {.low = low, .high = high, .with_bounds = false});
}

// Integers beside integer bounds stay integers.
Tensor Tensor::clamp(Scalar low, Scalar high) const {
  ops::check_defined("clamp", *this);
  if (is_floating(dtype()) || low.floating || high.floating) {
    return ops::of_float<ops::Clamp>(*this, {.low = low.value, .high = high.value});
  }
  return maximum(as_operand(ops::within(low, dtype()))).minimum(as_operand(ops::within(high, dtype())));
}
Tensor Tensor::clamp_min(Scalar low) const {
  ops::check_defined("clamp_min", *this);
  if (is_floating(dtype()) || low.floating) {
    return ops::of_float<ops::Clamp>(*this, {.low = low.value, .high = infinity});
  }
  return maximum(as_operand(ops::within(low, dtype())));
}
Tensor Tensor::clamp_max(Scalar high) const {
  ops::check_defined("clamp_max", *this);
  if (is_floating(dtype()) || high.floating) {
    return ops::of_float<ops::Clamp>(*this, {.low = -infinity, .high = high.value});
  }
  return minimum(as_operand(ops::within(high, dtype())));
}

Tensor Tensor::nan_to_num(double nan) const {
  ops::check_defined("nan_to_num", *this);
  return nan_to_num(nan, largest(dtype()), -largest(dtype()));
}
Tensor Tensor::nan_to_num(double nan, double positive_infinity, double negative_infinity) const {
  ops::check_defined("nan_to_num", *this);
  if (!is_floating(dtype())) return clone();
  return ops::of_float<ops::NanToNum>(
      *this, {.nan = nan, .positive_infinity = positive_infinity, .negative_infinity = negative_infinity});
}

}  // namespace feral
