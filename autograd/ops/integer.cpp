#include "autograd/ops/integer.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {

Result integer_or_bool_result(std::string_view op, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, a, b);
  if (is_floating(a.dtype())) fail("{}: expected integers or bool, got {}", op, name_of(a.dtype()));
  return arithmetic_result(op, a, b);
}

Result integer_result(std::string_view op, const Tensor& a, const Tensor& b) {
  const Result result = integer_or_bool_result(op, a, b);
  if (result.dtype == DType::boolean) fail("{}: expected integers, got bool; convert with to()", op);
  return result;
}

namespace {

// Not through apply_promoted: 16-bit floats, too, are refused under their own name.
template <class Op>
Tensor integers(const Tensor& a, const Tensor& b) {
  check_defined(Op::name, a);
  check_defined(Op::name, b);
  const DType common = promote(a, b);
  return apply<Op>({}, a.to(common), b.to(common));
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::bitwise_and(const Tensor& other) const { return ops::integers<ops::BitwiseAnd>(*this, other); }
Tensor Tensor::bitwise_or(const Tensor& other) const { return ops::integers<ops::BitwiseOr>(*this, other); }
Tensor Tensor::bitwise_xor(const Tensor& other) const { return ops::integers<ops::BitwiseXor>(*this, other); }
Tensor Tensor::bitwise_not() const {
  ops::check_defined("bitwise_not", *this);
  if (is_floating(dtype())) fail("bitwise_not: expected integers or bool, got {}", name_of(dtype()));
  const Tensor ones = empty({}, dtype());
  kernels(device()).fill(ones, dtype() == DType::boolean ? 1 : -1);
  return apply<ops::BitwiseXor>({}, *this, ones);
}
Tensor Tensor::bitwise_left_shift(const Tensor& other) const { return ops::integers<ops::LeftShift>(*this, other); }
Tensor Tensor::bitwise_right_shift(const Tensor& other) const {
  return ops::integers<ops::RightShift>(*this, other);
}
Tensor Tensor::gcd(const Tensor& other) const { return ops::integers<ops::Gcd>(*this, other); }
Tensor Tensor::lcm(const Tensor& other) const { return ops::integers<ops::Lcm>(*this, other); }

}  // namespace feral
