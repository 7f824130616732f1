// Convolutions.
#pragma once

#include <cstdint>

#include "tensor/per_dim.hpp"
#include "tensor/tensor.hpp"

namespace feral {

// Of one to three spatial dimensions, outermost first; numbers beyond a tensor's dimensions are not looked at.
struct ConvGeometry {
  PerDim<3> stride = 1;
  PerDim<3> padding = 0;   // zeros on both sides
  PerDim<3> dilation = 1;  // distance of a kernel's taps
  std::int64_t groups = 1;
};

struct ConvolutionKernels {
  // Contiguous tensors of float32 or float64, sizes as at ops::Convolution: x [n, c, d…], weight
  // [o, c / groups, k…], bias [o] or undefined, out [n, o, od…]. `weight` and `bias` may be live shared parameters.
  void (*convolution)(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const ConvGeometry& geometry);
  void (*convolution_input_gradient)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                                     const ConvGeometry& geometry);
  void (*convolution_weight_gradient)(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                                      const ConvGeometry& geometry);
};

}  // namespace feral
