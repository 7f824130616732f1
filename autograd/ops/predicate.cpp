#include "autograd/ops/predicate.hpp"

#include <cstring>

#include "autograd/ops/check.hpp"
#include "autograd/ops/integer.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {

template <class Self, TestKernel kernel>
Result Test<Self, kernel>::infer(const Attributes&, const Tensor& x) {
  check_defined(Self::name, x);
  if (is_half(x.dtype())) fail("{}: {} is for storage; convert with to()", Self::name, name_of(x.dtype()));
  return {x.shape(), DType::boolean, x.device()};
}

Result IsClose::infer(const Attributes& attributes, const Tensor& a, const Tensor& b) {
  Result result = arithmetic_result(name, a, b);
  if (!(attributes.rtol >= 0 && attributes.atol >= 0)) {
    fail("{}: the tolerances {} and {} must not be negative", name, attributes.rtol, attributes.atol);
  }
  result.dtype = DType::boolean;
  return result;
}

void IsClose::run(const Attributes& attributes, const Tensor& out, Aux<IsClose>&, const Tensor& a,
                  const Tensor& b) {
  kernels(out.device()).isclose(out, a, b, attributes.rtol, attributes.atol, attributes.equal_nan);
}

namespace {

template <class Op>
Tensor tested(const Tensor& x) {
  check_defined(Op::name, x);
  return apply<Op>({}, is_half(x.dtype()) ? x.to(DType::float32) : x);
}

// Op on whether elements are not 0.
template <class Op>
Tensor logical(std::string_view op, const Tensor& a, const Tensor& b) {
  check_defined(op, a);
  check_defined(op, b);
  (void)broadcast_shapes(op, a.shape(), b.shape());
  return apply<Op>({}, a.to(DType::boolean), b.to(DType::boolean));
}

// Of a contiguous bool tensor.
bool all_true(const Tensor& x) {
  return x.numel() == 0 || std::memchr(x.raw_data(), 0, static_cast<std::size_t>(x.numel())) == nullptr;
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::isnan() const { return ops::tested<ops::IsNan>(*this); }
Tensor Tensor::isinf() const { return ops::tested<ops::IsInf>(*this); }
Tensor Tensor::isfinite() const { return ops::tested<ops::IsFinite>(*this); }
Tensor Tensor::signbit() const { return ops::tested<ops::Signbit>(*this); }

Tensor Tensor::logical_and(const Tensor& other) const {
  return ops::logical<ops::BitwiseAnd>("logical_and", *this, other);
}
Tensor Tensor::logical_or(const Tensor& other) const {
  return ops::logical<ops::BitwiseOr>("logical_or", *this, other);
}
Tensor Tensor::logical_xor(const Tensor& other) const {
  return ops::logical<ops::BitwiseXor>("logical_xor", *this, other);
}
Tensor Tensor::logical_not() const {
  ops::check_defined("logical_not", *this);
  return eq(0);
}

Tensor Tensor::isclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
  ops::check_defined("isclose", *this);
  ops::check_defined("isclose", other);
  const DType common = promote(*this, other);
  const DType computed = is_half(common) ? DType::float32 : common;
  return apply<ops::IsClose>({.rtol = rtol, .atol = atol, .equal_nan = equal_nan}, to(computed),
                             other.to(computed));
}
bool Tensor::allclose(const Tensor& other, double rtol, double atol, bool equal_nan) const {
  ops::check_defined("allclose", *this);
  ops::check_defined("allclose", other);
  (void)broadcast_shapes("allclose", shape(), other.shape());
  return ops::all_true(isclose(other, rtol, atol, equal_nan));
}
bool Tensor::equal(const Tensor& other) const {
  ops::check_defined("equal", *this);
  ops::check_defined("equal", other);
  return shape() == other.shape() && ops::all_true(eq(other));
}

}  // namespace feral
