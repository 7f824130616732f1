// The CPU's part of the table; contracts in tensor/kernels/convolution.hpp.
#pragma once

#include "tensor/kernels/convolution.hpp"

namespace feral::cpu {

void conv2d(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dGeometry geometry);
void conv2d_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                           Conv2dGeometry geometry);
void conv2d_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                            Conv2dGeometry geometry);

inline constexpr ConvolutionKernels convolution_kernels = {
    .conv2d = conv2d,
    .conv2d_input_gradient = conv2d_input_gradient,
    .conv2d_weight_gradient = conv2d_weight_gradient,
};

}  // namespace feral::cpu
