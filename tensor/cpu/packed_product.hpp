// A convolution as one product of matrices whose panels are packed straight from the image.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/cpu/convolution_sizes.hpp"

namespace feral::cpu {

// Taps of one dimension: which element of the kernel, and how far from a position's origin it reads.
struct TapAxis {
  static constexpr std::int64_t capacity = 32;
  std::int64_t count = 0;
  std::array<std::int64_t, capacity> kernel, offset;
  void add(std::int64_t k, std::int64_t at) {
    kernel[static_cast<std::size_t>(count)] = k;
    offset[static_cast<std::size_t>(count++)] = at;
  }
};

// out[n, row, position] = the sum over channels and taps of weight[row, channel, tap] * source[n, channel, position
// * step + the tap's offset], 0 outside of the source. The gradient of the input has this form too: once for each
// remainder of its positions by the stride.
struct PackedProduct {
  std::int64_t batch, rows, channels;
  std::array<TapAxis, 3> taps;
  const float* weight;
  std::int64_t row_stride, channel_stride;
  Volume kernel;
  const float* source;
  std::int64_t source_image;  // elements from one image to the next
  Volume size, step;
  float* out;
  std::int64_t out_image, out_row;
  Volume positions, out_stride;  // out_stride: elements from one position to the next, in each dimension
  const float* bias = nullptr;

  std::int64_t tap_count() const { return taps[0].count * taps[1].count * taps[2].count; }
};

// Computes it, on CPUs with AVX-512; false elsewhere, and nothing is written. The step of the last dimension is 1
// or 2, a kernel has at most 256 elements.
bool run_packed(const PackedProduct& product);
// Whether this CPU is for it.
bool has_packed_product();

}  // namespace feral::cpu
