// Elementwise functions of integers and bool, two operands of one type, broadcast.
#pragma once

#include "autograd/ops/binary.hpp"

namespace feral::ops {

// Integers, or integers and bool; throws feral::Error naming `op`.
Result integer_result(std::string_view op, const Tensor& a, const Tensor& b);
Result integer_or_bool_result(std::string_view op, const Tensor& a, const Tensor& b);

#define FERAL_INTEGER(Op, op, kernel, rule)          \
  struct Op : BinaryStep<Op, BinaryKernel::kernel> { \
    static constexpr std::string_view name = #op;    \
    static constexpr auto result = rule;             \
  };

FERAL_INTEGER(BitwiseAnd, bitwise_and, bitwise_and, integer_or_bool_result)
FERAL_INTEGER(BitwiseOr, bitwise_or, bitwise_or, integer_or_bool_result)
FERAL_INTEGER(BitwiseXor, bitwise_xor, bitwise_xor, integer_or_bool_result)
FERAL_INTEGER(LeftShift, bitwise_left_shift, left_shift, integer_result)
FERAL_INTEGER(RightShift, bitwise_right_shift, right_shift, integer_result)
FERAL_INTEGER(Gcd, gcd, gcd, integer_result)
FERAL_INTEGER(Lcm, lcm, lcm, integer_result)

#undef FERAL_INTEGER

}  // namespace feral::ops
