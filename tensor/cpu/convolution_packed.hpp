// Convolution in float32 as a matrix product that packs its panels straight from the image, on CPUs with AVX-512.
#pragma once

#include "tensor/cpu/convolution_sizes.hpp"

namespace feral::cpu {

// Each computes what tensor/kernels/convolution.hpp says of its namesake and returns true; or returns false and has
// written nothing, when this CPU or these sizes are not for it. bias may be nullptr; `weight` and `bias` may be
// live shared parameters.
bool convolution_packed(float* out, const float* x, const float* weight, const float* bias,
                        const ConvolutionSizes& sizes);
bool convolution_input_gradient_packed(float* x_gradient, const float* out_gradient, const float* weight,
                                       const ConvolutionSizes& sizes);
bool convolution_weight_gradient_packed(float* weight_gradient, const float* x, const float* out_gradient,
                                        const ConvolutionSizes& sizes);

}  // namespace feral::cpu
