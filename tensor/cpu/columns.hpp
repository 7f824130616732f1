// Images laid out as columns, so that a convolution is a matrix product.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/cpu/convolution_sizes.hpp"

namespace feral::cpu {

// columns [taps, (last - first) * width] of the output's rows [first, last) of one group of one image
// [group_channels, depth, height, width].
void to_columns(DType dtype, std::byte* columns, const std::byte* image, const ConvolutionSizes& sizes,
                std::int64_t first, std::int64_t last);
// Adds such columns onto the image.
void from_columns(DType dtype, std::byte* image, const std::byte* columns, const ConvolutionSizes& sizes,
                  std::int64_t first, std::int64_t last);

}  // namespace feral::cpu
