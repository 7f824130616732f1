// Convolution without laying the image out: sums held in registers, on CPUs with AVX-512.
#pragma once

#include <cstddef>

#include "tensor/cpu/conv2d_sizes.hpp"

namespace feral::cpu {

// Each computes what tensor/kernels.hpp says of its namesake, in float32, and returns true; or returns false and
// has written nothing, when this CPU or these sizes are not for it (stride 1 without padding is, in widths and
// kernels that fill the registers).

// out [batch, filters, oh, ow]; bias [filters] or nullptr. `weight` and `bias` may be live shared parameters.
bool conv2d_direct(float* out, const float* x, const float* weight, const float* bias, const ConvSizes& sizes);

// weight_gradient [filters, channels, kh, kw], summed over the batch.
bool conv2d_weight_gradient_direct(float* weight_gradient, const float* x, const float* out_gradient,
                                   const ConvSizes& sizes);

// image [channels, height, width] = the sum of columns [taps, positions] at their places.
bool columns_to_image_direct(float* image, const float* columns, const ConvSizes& sizes);

}  // namespace feral::cpu
