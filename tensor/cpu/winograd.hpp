// 3 × 3 convolutions of stride 1 by Winograd's minimal filtering, F(4 × 4, 3 × 3): A. Lavin, S. Gray, "Fast
// algorithms for convolutional neural networks", CVPR 2016. A quarter of the multiplications of the direct sum; the
// transforms pay when there are many channels. Rounding errors are some ten times those of the direct sum (tested
// against it in float64).
#pragma once

#include <cstdint>

namespace feral::cpu {

// x [images, channels, height, width], weight [filters, channels, 3, 3], out [images, filters, out_height,
// out_width]; all contiguous float32.
struct WinogradSizes {
  std::int64_t images = 0;
  std::int64_t channels = 0;
  std::int64_t filters = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t padding_y = 0;
  std::int64_t padding_x = 0;
  std::int64_t out_height() const { return height + 2 * padding_y - 2; }
  std::int64_t out_width() const { return width + 2 * padding_x - 2; }
};

// Whether this is expected to be faster than products over unrolled windows.
bool winograd_pays(const WinogradSizes& sizes);

// out = x convolved with weight, plus bias (nullptr: none). weight and bias may be live parameters.
void winograd_forward(const WinogradSizes& sizes, const float* x, const float* weight, const float* bias,
                      float* out);
void winograd_input_gradient(const WinogradSizes& sizes, float* x_gradient, const float* out_gradient,
                             const float* weight);
void winograd_weight_gradient(const WinogradSizes& sizes, float* weight_gradient, const float* x,
                              const float* out_gradient);

}  // namespace feral::cpu
