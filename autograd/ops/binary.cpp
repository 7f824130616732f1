#include "autograd/ops/binary.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {
namespace {

// 1 where the condition holds, 0 elsewhere, in x's type.
Tensor indicator(const Tensor& condition, const Tensor& x) { return condition.to(x.dtype()); }

Tensor zeros_like(const Tensor& x) { return Tensor::zeros(x.shape(), x.dtype()); }

}  // namespace

Result binary_float_result(std::string_view op, const Tensor& a, const Tensor& b) {
  check_floating(op, a);
  return arithmetic_result(op, a, b);
}

Result binary_any_result(std::string_view op, const Tensor& a, const Tensor& b) {
  return arithmetic_result(op, a, b);
}

Result binary_number_result(std::string_view op, const Tensor& a, const Tensor& b) {
  const Result result = arithmetic_result(op, a, b);
  if (result.dtype == DType::boolean) fail("{}: bool is no number; convert with to()", op);
  return result;
}

Result binary_division_result(std::string_view op, const Tensor& a, const Tensor& b) {
  const Result result = binary_number_result(op, a, b);
  if (!is_floating(result.dtype) && result.shape.numel() > 0 && kernels(b.device()).has_zero(b)) {
    fail("{}: division of {} by zero", op, name_of(b.dtype()));
  }
  return result;
}

Tensor Maximum::by_first(const Saved<Maximum>&, const Tensor& a, const Tensor& b) {
  return indicator(a.gt(b), a) + indicator(a.eq(b), a) * 0.5;
}
Tensor Maximum::by_second(const Saved<Maximum>&, const Tensor& a, const Tensor& b) {
  return indicator(b.gt(a), a) + indicator(a.eq(b), a) * 0.5;
}

Tensor Minimum::by_first(const Saved<Minimum>&, const Tensor& a, const Tensor& b) {
  return indicator(a.lt(b), a) + indicator(a.eq(b), a) * 0.5;
}
Tensor Minimum::by_second(const Saved<Minimum>&, const Tensor& a, const Tensor& b) {
  return indicator(b.lt(a), a) + indicator(a.eq(b), a) * 0.5;
}

Tensor Pow::by_first(const Saved<Pow>&, const Tensor& a, const Tensor& b) {
  // x^0 is flat, also at x = 0, where 0 * 0^-1 would be a NaN.
  return where(b.eq(0), zeros_like(b), b * a.pow(b - 1));
}
Tensor Pow::by_second(const Saved<Pow>& saved, const Tensor& a, const Tensor& b) {
  // 0^b is flat for b > 0, where the logarithm alone would be infinite.
  const Tensor flat = a.eq(0).mul(b.ge(0));
  return where(flat, zeros_like(a), saved.output() * a.log());
}

Tensor Atan2::by_first(const Saved<Atan2>&, const Tensor& a, const Tensor& b) {
  return b / (a.square() + b.square());
}
Tensor Atan2::by_second(const Saved<Atan2>&, const Tensor& a, const Tensor& b) {
  return a.neg() / (a.square() + b.square());
}

Tensor Hypot::by_first(const Saved<Hypot>& saved, const Tensor& a, const Tensor&) { return a / saved.output(); }
Tensor Hypot::by_second(const Saved<Hypot>& saved, const Tensor&, const Tensor& b) { return b / saved.output(); }

Tensor Fmod::by_first(const Saved<Fmod>&, const Tensor& a, const Tensor&) {
  return Tensor::ones(a.shape(), a.dtype());
}
Tensor Fmod::by_second(const Saved<Fmod>&, const Tensor& a, const Tensor& b) { return (a / b).trunc().neg(); }

Tensor Remainder::by_first(const Saved<Remainder>&, const Tensor& a, const Tensor&) {
  return Tensor::ones(a.shape(), a.dtype());
}
Tensor Remainder::by_second(const Saved<Remainder>&, const Tensor& a, const Tensor& b) {
  return (a / b).floor().neg();
}

Tensor Logaddexp::by_first(const Saved<Logaddexp>& saved, const Tensor& a, const Tensor&) {
  return (a - saved.output()).exp();
}
Tensor Logaddexp::by_second(const Saved<Logaddexp>& saved, const Tensor&, const Tensor& b) {
  return (b - saved.output()).exp();
}

Tensor Logaddexp2::by_first(const Saved<Logaddexp2>& saved, const Tensor& a, const Tensor&) {
  return (a - saved.output()).exp2();
}
Tensor Logaddexp2::by_second(const Saved<Logaddexp2>& saved, const Tensor&, const Tensor& b) {
  return (b - saved.output()).exp2();
}

Tensor Xlogy::by_first(const Saved<Xlogy>&, const Tensor& a, const Tensor& b) {
  // 0 log b is flat, also where the logarithm is none.
  return where(a.eq(0).mul(b.le(0)), zeros_like(b), b.log());
}
Tensor Xlogy::by_second(const Saved<Xlogy>&, const Tensor& a, const Tensor& b) { return a / b; }

Tensor Copysign::by_first(const Saved<Copysign>& saved, const Tensor& a, const Tensor&) {
  // 1 where the sign stayed, -1 where it turned, 0 at 0.
  const Tensor out = saved.output().detach();
  return a.detach().sign() * out.sign();
}
Tensor Copysign::by_second(const Saved<Copysign>&, const Tensor&, const Tensor& b) { return zeros_like(b); }

}  // namespace feral::ops

namespace feral {

Tensor Tensor::maximum(const Tensor& other) const { return ops::apply_promoted<ops::Maximum>(*this, other); }
Tensor Tensor::minimum(const Tensor& other) const { return ops::apply_promoted<ops::Minimum>(*this, other); }
Tensor Tensor::pow(const Tensor& other) const { return ops::apply_promoted<ops::Pow>(*this, other); }
Tensor Tensor::pow(Scalar other) const {
  ops::check_defined("pow", *this);
  if (!is_floating(dtype()) && !other.floating && other.integer < 0) {
    fail("pow: {} to the power {}: integers have no negative powers; convert with to()", name_of(dtype()),
         other.integer);
  }
  return other.value == 2 && has_gradient(dtype()) ? square() : pow(as_operand(other));
}
Tensor Tensor::atan2(const Tensor& other) const { return ops::apply_promoted_float<ops::Atan2>(*this, other); }
Tensor Tensor::hypot(const Tensor& other) const { return ops::apply_promoted_float<ops::Hypot>(*this, other); }
Tensor Tensor::fmod(const Tensor& other) const { return ops::apply_promoted<ops::Fmod>(*this, other); }
Tensor Tensor::fmod(Scalar other) const { return fmod(as_operand(other)); }
Tensor Tensor::remainder(const Tensor& other) const { return ops::apply_promoted<ops::Remainder>(*this, other); }
Tensor Tensor::remainder(Scalar other) const { return remainder(as_operand(other)); }
Tensor Tensor::floor_divide(const Tensor& other) const {
  return ops::apply_promoted<ops::FloorDivide>(*this, other);
}
Tensor Tensor::floor_divide(Scalar other) const { return floor_divide(as_operand(other)); }
Tensor Tensor::logaddexp(const Tensor& other) const {
  return ops::apply_promoted_float<ops::Logaddexp>(*this, other);
}
Tensor Tensor::logaddexp2(const Tensor& other) const {
  return ops::apply_promoted_float<ops::Logaddexp2>(*this, other);
}
Tensor Tensor::xlogy(const Tensor& other) const { return ops::apply_promoted_float<ops::Xlogy>(*this, other); }
Tensor Tensor::copysign(const Tensor& other) const {
  return ops::apply_promoted_float<ops::Copysign>(*this, other);
}
Tensor Tensor::nextafter(const Tensor& other) const {
  ops::check_defined("nextafter", *this);
  ops::check_defined("nextafter", other);
  if (is_half(promote(*this, other))) fail("nextafter: 16-bit floats are for storage; convert with to()");
  return ops::apply_promoted_float<ops::Nextafter>(*this, other);
}

}  // namespace feral
