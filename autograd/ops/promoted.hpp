// Two operands of any types brought to one before an op: PyTorch's promotion.
#pragma once

#include "autograd/op.hpp"
#include "autograd/ops/check.hpp"
#include "tensor/promotion.hpp"

namespace feral::ops {

// Result of two operands of one type that is no 16-bit float; throws feral::Error naming `op`.
inline Result arithmetic_result(std::string_view op, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, a, b);
  if (is_half(a.dtype())) fail("{}: {} is for storage; convert with to()", op, name_of(a.dtype()));
  return {broadcast_shapes(op, a.shape(), b.shape()), a.dtype(), a.device()};
}

// Op on a and b in their common type; 16-bit floats are computed as float32 and come back.
template <class Op>
Tensor apply_promoted(const Tensor& a, const Tensor& b) {
  check_defined(Op::name, a);
  check_defined(Op::name, b);
  if (a.dtype() == b.dtype() && !is_half(a.dtype())) return apply<Op>({}, a, b);
  const DType common = promote(a, b);
  const DType computed = is_half(common) ? DType::float32 : common;
  return apply<Op>({}, a.to(computed), b.to(computed)).to(common);
}

// The same for ops that only floats have: integers and bool become float32.
template <class Op>
Tensor apply_promoted_float(const Tensor& a, const Tensor& b) {
  check_defined(Op::name, a);
  check_defined(Op::name, b);
  if (a.dtype() == b.dtype() && has_gradient(a.dtype())) return apply<Op>({}, a, b);
  const DType common = promote(a, b);
  const DType result = is_floating(common) ? common : DType::float32;
  const DType computed = is_half(result) ? DType::float32 : result;
  return apply<Op>({}, a.to(computed), b.to(computed)).to(result);
}

// Op on a and b in their common type, whose result has a type of its own: comparisons.
template <class Op>
Tensor compare_promoted(const Tensor& a, const Tensor& b) {
  check_defined(Op::name, a);
  check_defined(Op::name, b);
  const DType common = promote(a, b);
  const DType computed = is_half(common) ? DType::float32 : common;
  return apply<Op>({}, a.to(computed), b.to(computed));
}

// Op on one operand of any type: integers and bool are computed as float32 and stay it, 16-bit floats are computed
// as float32 and come back.
template <class Op>
Tensor of_float(const Tensor& x, const typename Op::Attributes& attributes = {}) {
  check_defined(Op::name, x);
  if (has_gradient(x.dtype())) return apply<Op>(attributes, x);
  const Tensor result = apply<Op>(attributes, x.to(DType::float32));
  return is_half(x.dtype()) ? result.to(x.dtype()) : result;
}

// The same where PyTorch has no such function of integers.
template <class Op>
Tensor of_float_alone(const Tensor& x, const typename Op::Attributes& attributes = {}) {
  check_defined(Op::name, x);
  if (!is_floating(x.dtype())) {
    fail("{}: expected a floating type, got {}; convert with to()", Op::name, name_of(x.dtype()));
  }
  return of_float<Op>(x, attributes);
}

}  // namespace feral::ops
