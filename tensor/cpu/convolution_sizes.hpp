// Sizes of one convolution of up to three spatial dimensions, in elements.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "tensor/kernels/convolution.hpp"

namespace feral::cpu {

// Depth, height and width; missing ones have size 1.
using Volume = std::array<std::int64_t, 3>;

inline std::int64_t elements(const Volume& size) { return size[0] * size[1] * size[2]; }

struct ConvolutionSizes {
  std::int64_t batch, channels, filters, groups;
  Volume size, kernel, out;
  Volume stride = {1, 1, 1}, padding = {0, 0, 0}, dilation = {1, 1, 1};

  ConvolutionSizes(const Tensor& x, const Tensor& weight, const Tensor& result, const ConvGeometry& geometry)
      : batch(x.shape()[0]),
        channels(x.shape()[1]),
        filters(weight.shape()[0]),
        groups(geometry.groups),
        size{1, 1, 1},
        kernel{1, 1, 1},
        out{1, 1, 1} {
    const int dims = x.dims() - 2;
    for (int i = 0; i < dims; ++i) {
      const auto to = static_cast<std::size_t>(3 - dims + i);
      size[to] = x.shape()[2 + i];
      kernel[to] = weight.shape()[2 + i];
      out[to] = result.shape()[2 + i];
      stride[to] = geometry.stride[i];
      padding[to] = geometry.padding[i];
      dilation[to] = geometry.dilation[i];
    }
  }

  std::int64_t group_channels() const { return channels / groups; }
  std::int64_t group_filters() const { return filters / groups; }
  std::int64_t plane() const { return elements(size); }     // of one input channel
  std::int64_t positions() const { return elements(out); }  // of one output channel
  std::int64_t lines() const { return out[0] * out[1]; }    // rows of one output channel
  std::int64_t taps() const { return group_channels() * elements(kernel); }
  // Kernels of one element that read the image as it stands.
  bool is_pointwise() const {
    const Volume ones = {1, 1, 1};
    return kernel == ones && stride == ones && padding == Volume{0, 0, 0};
  }
};

// Output positions [first, last) of one dimension whose tap `k` reads inside the image.
struct Span {
  std::int64_t first, last;
};
inline Span inside(const ConvolutionSizes& s, std::size_t dim, std::int64_t k) {
  const std::int64_t start = s.padding[dim] - k * s.dilation[dim];  // position o reads o * stride - start
  const std::int64_t stride = s.stride[dim];
  const std::int64_t first = start <= 0 ? 0 : (start + stride - 1) / stride;
  const std::int64_t end = s.size[dim] - 1 + start;
  const std::int64_t last = end < 0 ? 0 : end / stride + 1;
  const std::int64_t from = std::min(first, s.out[dim]);
  return {from, std::max(from, std::min(last, s.out[dim]))};
}

}  // namespace feral::cpu
