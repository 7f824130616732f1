#include "tensor/cpu/convolution_packed.hpp"

#include <algorithm>

#include "tensor/cpu/packed_product.hpp"

namespace feral::cpu {
namespace {

// Few products do not pay for the packing.
bool is_worth_packing(const ConvolutionSizes& s, std::int64_t rows) {
  return rows >= 16 && elements(s.kernel) <= 256 && s.kernel[0] <= TapAxis::capacity &&
         s.kernel[1] <= TapAxis::capacity && s.kernel[2] <= TapAxis::capacity;
}

}  // namespace

bool convolution_packed(float* out, const float* x, const float* weight, const float* bias,
                        const ConvolutionSizes& s) {
  if (!is_worth_packing(s, s.group_filters()) || s.stride[2] > 2 || !has_packed_product()) return false;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    PackedProduct p{.batch = s.batch,
                    .rows = s.group_filters(),
                    .channels = s.group_channels(),
                    .taps = {},
                    .weight = weight + g * s.group_filters() * s.taps(),
                    .row_stride = s.taps(),
                    .channel_stride = elements(s.kernel),
                    .kernel = s.kernel,
                    .source = x + g * s.group_channels() * s.plane(),
                    .source_image = s.channels * s.plane(),
                    .size = s.size,
                    .step = s.stride,
                    .out = out + g * s.group_filters() * s.positions(),
                    .out_image = s.filters * s.positions(),
                    .out_row = s.positions(),
                    .positions = s.out,
                    .out_stride = {s.out[1] * s.out[2], s.out[2], 1},
                    .bias = bias == nullptr ? nullptr : bias + g * s.group_filters()};
    for (std::size_t dim = 0; dim < 3; ++dim) {
      for (std::int64_t k = 0; k < s.kernel[dim]; ++k) p.taps[dim].add(k, k * s.dilation[dim] - s.padding[dim]);
    }
    run_packed(p);
  }
  return true;
}

bool convolution_input_gradient_packed(float* x_gradient, const float* out_gradient, const float* weight,
                                       const ConvolutionSizes& s) {
  if (!is_worth_packing(s, s.group_channels()) || s.stride[2] > 2 || !has_packed_product()) return false;
  // Positions with the same remainders by the strides read the same taps.
  const bool all_read = s.stride[0] <= s.kernel[0] && s.stride[1] <= s.kernel[1] && s.stride[2] <= s.kernel[2] &&
                        s.dilation == Volume{1, 1, 1};
  if (!all_read) std::fill_n(x_gradient, s.batch * s.channels * s.plane(), 0.0F);
  Volume phase;
  for (std::int64_t g = 0; g < s.groups; ++g) {
    for (phase[0] = 0; phase[0] < std::min(s.stride[0], s.size[0]); ++phase[0]) {
      for (phase[1] = 0; phase[1] < std::min(s.stride[1], s.size[1]); ++phase[1]) {
        for (phase[2] = 0; phase[2] < std::min(s.stride[2], s.size[2]); ++phase[2]) {
          const Volume row_strides = {s.size[1] * s.size[2], s.size[2], 1};
          PackedProduct p{.batch = s.batch,
                          .rows = s.group_channels(),
                          .channels = s.group_filters(),
                          .taps = {},
                          .weight = weight + g * s.group_filters() * s.taps(),
                          .row_stride = elements(s.kernel),
                          .channel_stride = s.taps(),
                          .kernel = s.kernel,
                          .source = out_gradient + g * s.group_filters() * s.positions(),
                          .source_image = s.filters * s.positions(),
                          .size = s.out,
                          .step = {1, 1, 1},
                          .out = x_gradient + g * s.group_channels() * s.plane(),
                          .out_image = s.channels * s.plane(),
                          .out_row = s.plane(),
                          .positions = {},
                          .out_stride = {}};
          for (std::size_t dim = 0; dim < 3; ++dim) {
            p.out += phase[dim] * row_strides[dim];
            p.out_stride[dim] = s.stride[dim] * row_strides[dim];
            p.positions[dim] = (s.size[dim] - phase[dim] + s.stride[dim] - 1) / s.stride[dim];
            for (std::int64_t k = 0; k < s.kernel[dim]; ++k) {
              const std::int64_t from = phase[dim] + s.padding[dim] - k * s.dilation[dim];
              if (from % s.stride[dim] == 0) p.taps[dim].add(k, from / s.stride[dim]);
            }
          }
          if (p.tap_count() > 0) run_packed(p);
        }
      }
    }
  }
  return true;
}

}  // namespace feral::cpu
