// The CPU's part of the table; contracts in tensor/kernels/convolution.hpp.
#pragma once

#include "tensor/kernels/convolution.hpp"

namespace feral::cpu {

void convolution(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const ConvGeometry& geometry);
void convolution_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                                const ConvGeometry& geometry);
void convolution_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                                 const ConvGeometry& geometry);

inline constexpr ConvolutionKernels convolution_kernels = {
    .convolution = convolution,
    .convolution_input_gradient = convolution_input_gradient,
    .convolution_weight_gradient = convolution_weight_gradient,
};

}  // namespace feral::cpu
