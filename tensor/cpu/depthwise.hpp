// Convolutions whose filters read one channel each: too few products for a matrix product.
#pragma once

#include "tensor/cpu/convolution_sizes.hpp"

namespace feral::cpu {

// groups == channels. Contracts as in tensor/kernels/convolution.hpp; bias may be undefined.
void depthwise(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
               const ConvolutionSizes& sizes);
void depthwise_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                              const ConvolutionSizes& sizes);
void depthwise_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                               const ConvolutionSizes& sizes);

}  // namespace feral::cpu
