// Sizes of one convolution, in elements.
#pragma once

#include <cstdint>

namespace feral::cpu {

struct ConvSizes {
  std::int64_t batch, channels, height, width;  // input
  std::int64_t kernel_height, kernel_width, stride, padding;
  std::int64_t filters, out_height, out_width;  // output

  std::int64_t image() const { return channels * height * width; }
  std::int64_t positions() const { return out_height * out_width; }
  std::int64_t out_image() const { return filters * positions(); }
  std::int64_t taps() const { return channels * kernel_height * kernel_width; }
};

}  // namespace feral::cpu
