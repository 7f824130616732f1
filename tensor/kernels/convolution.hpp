// Convolutions.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct Conv2dGeometry {
  std::int64_t stride = 1;   // in both directions
  std::int64_t padding = 0;  // zeros on every side
};

struct ConvolutionKernels {
  // Contiguous tensors: x [n, c, h, w], weight [o, c, kh, kw], bias [o] or undefined, out [n, o, oh, ow].
  void (*conv2d)(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 Conv2dGeometry geometry);
  void (*conv2d_input_gradient)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                                Conv2dGeometry geometry);
  void (*conv2d_weight_gradient)(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                                 Conv2dGeometry geometry);
};

}  // namespace feral
