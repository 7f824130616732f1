// Kernels that work element by element.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

enum class UnaryKernel : std::uint8_t {
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sqrt,
  rsqrt,
  reciprocal,
  square,
  abs,
  sign,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  sigmoid,
  softplus,
  erf,
  erfc,
  floor,
  ceil,
  trunc,
  round,
  frac,
  relu,
  erfinv,
  lgamma,
  digamma,
  logit,
  logsigmoid,
  sinc,
  gelu,
  gelu_slope,  // the derivative of gelu, and so on
  gelu_tanh,
  gelu_tanh_slope,
  silu,
  silu_slope,
  mish
};
enum class BinaryKernel : std::uint8_t {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  pow,
  atan2,
  hypot,
  fmod,
  remainder,
  logaddexp,
  logaddexp2,
  xlogy,
  copysign,
  nextafter,
  floor_divide,
  relu_backward,
  bitwise_and,
  bitwise_or,
  bitwise_xor,
  left_shift,
  right_shift,
  gcd,
  lcm
};
enum class TernaryKernel : std::uint8_t { lerp, addcmul, addcdiv };
// Functions with up to three plain numbers: clamp(low, high), elu(alpha), leaky_relu(slope),
// nan_to_num(nan, positive infinity, negative infinity), polygamma(order).
enum class ParametricKernel : std::uint8_t { clamp, elu, leaky_relu, nan_to_num, polygamma };
enum class CompareKernel : std::uint8_t { equal, not_equal, less, less_equal };
enum class TestKernel : std::uint8_t { isnan, isinf, isfinite, signbit };

struct ElementwiseKernels {
  // out, a and b may have any strides; inputs broadcast to out's shape. One type a call: float32 or float64; add,
  // sub, mul, maximum and minimum also integers and bool; pow, fmod, remainder and floor_divide also integers (no
  // divisor 0); bitwise kernels, shifts, gcd and lcm integers alone (the first three also bool).
  void (*unary)(UnaryKernel kernel, const Tensor& out, const Tensor& x);
  void (*binary)(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
  void (*affine)(const Tensor& out, const Tensor& x, double scale, double shift);  // out = scale * x + shift
  // lerp: a + c * (b - a). addcmul: a + value * b * c. addcdiv: a + value * b / c. Floats.
  void (*ternary)(TernaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
                  double value);
  // Floats; numbers that a kernel does not have are ignored.
  void (*parametric)(ParametricKernel kernel, const Tensor& out, const Tensor& x, const double (&numbers)[3]);

  // out bool; a and b of one type, none of 16 bits.
  void (*compare)(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
  // out bool; x of any type of at least 32 bits, or an integer.
  void (*test)(TestKernel kernel, const Tensor& out, const Tensor& x);
  // out bool: |a - b| <= atol + |rtol * b|, or equal; a and b of one type, none a 16-bit float.
  void (*isclose)(const Tensor& out, const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);
  bool (*has_zero)(const Tensor& x);  // of any type
  // out = condition ? a : b; condition bool, the others of one type.
  void (*where)(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b);

  // Any strides and types; converts, broadcasts `x` to out's shape.
  void (*copy)(const Tensor& out, const Tensor& x);
  void (*fill)(const Tensor& out, Scalar value);
};

}  // namespace feral
