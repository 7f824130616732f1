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
  relu
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
  relu_backward
};
enum class CompareKernel : std::uint8_t { equal, not_equal, less, less_equal };

struct ElementwiseKernels {
  // out, a and b may have any strides; inputs broadcast to out's shape. One type a call: float32 or float64; add,
  // sub, mul, maximum and minimum also integers and bool.
  void (*unary)(UnaryKernel kernel, const Tensor& out, const Tensor& x);
  void (*binary)(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
  void (*affine)(const Tensor& out, const Tensor& x, double scale, double shift);  // out = scale * x + shift

  // out bool; a and b of one type, none of 16 bits.
  void (*compare)(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
  // out = condition ? a : b; condition bool, the others of one type.
  void (*where)(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b);

  // Any strides and types; converts, broadcasts `x` to out's shape.
  void (*copy)(const Tensor& out, const Tensor& x);
  void (*fill)(const Tensor& out, double value);
};

}  // namespace feral
