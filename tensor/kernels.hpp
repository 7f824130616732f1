// The dispatch to a device's kernels: one table of functions a device, the seam behind which CUDA will stand.
//
// Kernels compute and nothing else. Shapes and types have been checked by the op that calls them (autograd/ops/);
// `out` is allocated, contiguous unless said otherwise, and overlaps no input (elementwise kernels also take an
// input that is `out` itself). No kernel allocates from the heap once warm, none records.
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

struct Conv2dGeometry {
  std::int64_t stride = 1;   // in both directions
  std::int64_t padding = 0;  // zeros on every side
};

struct Pool2dGeometry {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
};

struct DropoutDraw {
  float probability = 0.5F;  // of an element, or a group, to become 0; the others are scaled by 1 / (1 - p)
  std::int64_t group = 1;    // that many consecutive elements share one draw
  std::uint64_t seed = 0;    // position in the Philox streams
  std::uint64_t stream = 0;
  std::uint64_t first_block = 0;
};

struct Kernels {
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

  // out = x summed over every dimension that out's shape broadcasts along. out is contiguous. Floating.
  void (*sum_to)(const Tensor& out, const Tensor& x);
  // out int64; index of the largest along `dim`, the first of equals, a NaN counts as the largest.
  void (*argmax)(const Tensor& out, const Tensor& x, int dim);

  // out [m, n] = a [m, k] × b [k, n], plus out itself when accumulate. a and b may be transposed views; others are
  // copied first.
  void (*matmul)(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);
  // out [m, n] with every row equal to `row` [n]. `row` may be a live shared parameter.
  void (*fill_rows)(const Tensor& out, const Tensor& row);

  // Contiguous tensors: x [n, c, h, w], weight [o, c, kh, kw], bias [o] or undefined, out [n, o, oh, ow].
  void (*conv2d)(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 Conv2dGeometry geometry);
  void (*conv2d_input_gradient)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                                Conv2dGeometry geometry);
  void (*conv2d_weight_gradient)(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                                 Conv2dGeometry geometry);

  // Contiguous tensors: x [n, c, h, w], out [n, c, oh, ow]; window uint8 like out: where in its window, row by row,
  // the maximum stood (the first of equals); undefined when no gradient is wanted.
  void (*max_pool2d)(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
  void (*max_pool2d_scatter)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                             Pool2dGeometry geometry);
  void (*max_pool2d_gather)(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);

  // Contiguous [rows, classes].
  void (*log_softmax)(const Tensor& out, const Tensor& x);
  // out 0-dimensional: the mean over rows of -x[row, target[row]]; target int64 [rows], checked by the op.
  void (*nll_loss)(const Tensor& out, const Tensor& x, const Tensor& target);
  // out[row, target[row]] = -gradient / rows, 0 elsewhere.
  void (*nll_loss_scatter)(const Tensor& out, const Tensor& gradient, const Tensor& target);

  // out = x with elements dropped as `draw` says; contiguous.
  void (*dropout)(const Tensor& out, const Tensor& x, const DropoutDraw& draw);
  // Fills a contiguous floating tensor with uniform numbers in [low, high).
  void (*uniform)(const Tensor& out, double low, double high, std::uint64_t seed, std::uint64_t stream,
                  std::uint64_t first_block);
};

const Kernels& kernels(Device device) noexcept;

}  // namespace feral
