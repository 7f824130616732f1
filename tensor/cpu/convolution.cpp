// Convolution as matrix products: rows of an image's columns at a time, so that they stay in the second-level
// cache. Kernels that need no columns go first.
#include <algorithm>
#include <optional>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/columns.hpp"
#include "tensor/cpu/conv2d_direct.hpp"
#include "tensor/cpu/convolution_packed.hpp"
#include "tensor/cpu/convolution_sizes.hpp"
#include "tensor/cpu/depthwise.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/winograd.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

namespace feral::cpu {
namespace {

// What the direct kernels of two dimensions understand.
bool is_plain_2d(const ConvolutionSizes& s) {
  return s.groups == 1 && s.size[0] == 1 && s.kernel[0] == 1 && s.stride[0] == 1 && s.padding[0] == 0 &&
         s.stride[1] == s.stride[2] && s.padding[1] == s.padding[2] && s.dilation[1] == 1 && s.dilation[2] == 1;
}

ConvSizes plain_2d(const ConvolutionSizes& s) {
  return {s.batch,     s.channels,   s.size[1], s.size[2], s.kernel[1], s.kernel[2],
          s.stride[1], s.padding[1], s.filters, s.out[1],  s.out[2]};
}

// The sizes for Winograd's algorithm, where it is right and worth it.
std::optional<WinogradSizes> winograd_sizes(const ConvolutionSizes& s, DType dtype) {
  const Volume ones = {1, 1, 1};
  if (dtype != DType::float32 || s.groups != 1 || s.kernel != Volume{1, 3, 3} || s.stride != ones ||
      s.dilation != ones || s.size[0] != 1 || s.padding[0] != 0) {
    return std::nullopt;
  }
  const WinogradSizes sizes{.images = s.batch,
                            .channels = s.channels,
                            .filters = s.filters,
                            .height = s.size[1],
                            .width = s.size[2],
                            .padding_y = s.padding[1],
                            .padding_x = s.padding[2]};
  return winograd_pays(sizes) ? std::optional(sizes) : std::nullopt;
}

bool is_depthwise(const ConvolutionSizes& s) { return s.groups == s.channels && s.groups > 1; }

// Output rows laid out at once: few enough that their columns are cached, enough for a good product.
template <class T>
std::int64_t lines_at_once(const ConvolutionSizes& s) {
  constexpr std::int64_t cached_bytes = 1 << 19;
  constexpr std::int64_t good_product = 256;
  const std::int64_t width = std::max<std::int64_t>(1, s.out[2]);
  const std::int64_t bytes = std::max<std::int64_t>(1, s.taps() * width * static_cast<std::int64_t>(sizeof(T)));
  return std::clamp<std::int64_t>(std::max(cached_bytes / bytes, (good_product + width - 1) / width), 1,
                                  std::max<std::int64_t>(1, s.lines()));
}

template <class T>
Workspace columns_of(const ConvolutionSizes& s) {
  return Workspace(static_cast<std::size_t>(s.taps() * lines_at_once<T>(s) * s.out[2]) * sizeof(T));
}

// Calls visit(image, group, first, last) for every block of output rows.
template <class T, class Visit>
void for_each_block(const ConvolutionSizes& s, const Visit& visit) {
  const std::int64_t step = lines_at_once<T>(s);
  for (std::int64_t i = 0; i < s.batch; ++i) {
    for (std::int64_t g = 0; g < s.groups; ++g) {
      for (std::int64_t first = 0; first < s.lines(); first += step) {
        visit(i, g, first, std::min(first + step, s.lines()));
      }
    }
  }
}

const std::byte* bytes_of(const void* pointer) { return static_cast<const std::byte*>(pointer); }

}  // namespace

void convolution(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const ConvGeometry& geometry) {
  const ConvolutionSizes s(x, weight, out, geometry);
  if (out.numel() == 0) return;
  if (is_depthwise(s)) {
    depthwise(out, x, weight, bias, s);
    return;
  }
  if (out.dtype() == DType::float32 && is_plain_2d(s) &&
      conv2d_direct(out.data<float>(), x.data<float>(), weight.data<float>(),
                    bias.defined() ? bias.data<float>() : nullptr, plain_2d(s))) {
    return;
  }
  if (const auto sizes = winograd_sizes(s, out.dtype())) {
    winograd_forward(*sizes, x.data<float>(), weight.data<float>(), bias.defined() ? bias.data<float>() : nullptr,
                     out.data<float>());
    return;
  }
  if (out.dtype() == DType::float32 && convolution_packed(out.data<float>(), x.data<float>(), weight.data<float>(),
                                                          bias.defined() ? bias.data<float>() : nullptr, s)) {
    return;
  }
  visit_floating(out.dtype(), [&]<class T>() {
    const Workspace scratch = columns_of<T>(s);
    T* columns = reinterpret_cast<T*>(scratch.get());
    for_each_block<T>(s, [&](std::int64_t i, std::int64_t g, std::int64_t first, std::int64_t last) {
      const std::int64_t n = (last - first) * s.out[2];
      const std::int64_t filter = g * s.group_filters();
      T* to = out.data<T>() + (i * s.filters + filter) * s.positions() + first * s.out[2];
      for (std::int64_t f = 0; bias.defined() && f < s.group_filters(); ++f) {
        std::fill_n(to + f * s.positions(), n, racy_load(bias.data<T>() + filter + f));
      }
      const T* image = x.data<T>() + (i * s.channels + g * s.group_channels()) * s.plane();
      const T* rows = s.is_pointwise() ? image + first * s.out[2] : columns;
      if (!s.is_pointwise()) {
        to_columns(out.dtype(), scratch.get(), bytes_of(image), s, first, last);
      }
      gemm(false, false, s.group_filters(), n, s.taps(), weight.data<T>() + filter * s.taps(), s.taps(), rows,
           s.is_pointwise() ? s.plane() : n, bias.defined() ? T{1} : T{0}, to, s.positions());
    });
  });
}

void convolution_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                                const ConvGeometry& geometry) {
  const ConvolutionSizes s(x_gradient, weight, out_gradient, geometry);
  if (x_gradient.numel() == 0) return;
  if (is_depthwise(s)) {
    depthwise_input_gradient(x_gradient, out_gradient, weight, s);
    return;
  }
  if (s.filters == 0) {
    fill(x_gradient, 0);
    return;
  }
  if (const auto sizes = winograd_sizes(s, x_gradient.dtype())) {
    winograd_input_gradient(*sizes, x_gradient.data<float>(), out_gradient.data<float>(), weight.data<float>());
    return;
  }
  if (x_gradient.dtype() == DType::float32 &&
      convolution_input_gradient_packed(x_gradient.data<float>(), out_gradient.data<float>(), weight.data<float>(),
                                        s)) {
    return;
  }
  const bool plain = x_gradient.dtype() == DType::float32 && is_plain_2d(s) && !s.is_pointwise();
  // Whether the rows laid out at once are all, as columns_to_image_direct wants them.
  const bool whole = lines_at_once<float>(s) == s.lines();
  bool zeroed = false;
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    const Workspace scratch = columns_of<T>(s);
    T* columns = reinterpret_cast<T*>(scratch.get());
    for_each_block<T>(s, [&](std::int64_t i, std::int64_t g, std::int64_t first, std::int64_t last) {
      const std::int64_t n = (last - first) * s.out[2];
      const std::int64_t filter = g * s.group_filters();
      const T* from = out_gradient.data<T>() + (i * s.filters + filter) * s.positions() + first * s.out[2];
      T* image = x_gradient.data<T>() + (i * s.channels + g * s.group_channels()) * s.plane();
      T* rows = s.is_pointwise() ? image + first * s.out[2] : columns;
      gemm(true, false, s.taps(), n, s.group_filters(), weight.data<T>() + filter * s.taps(), s.taps(), from,
           s.positions(), T{0}, rows, s.is_pointwise() ? s.plane() : n);
      if (s.is_pointwise()) return;
      if constexpr (std::is_same_v<T, float>) {
        if (plain && whole && columns_to_image_direct(image, columns, plain_2d(s))) return;
      }
      if (!zeroed) fill(x_gradient, 0);
      zeroed = true;
      from_columns(x_gradient.dtype(), reinterpret_cast<std::byte*>(image), scratch.get(), s, first, last);
    });
  });
}

void convolution_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                                 const ConvGeometry& geometry) {
  const ConvolutionSizes s(x, weight_gradient, out_gradient, geometry);
  if (weight_gradient.numel() == 0) return;
  if (is_depthwise(s)) {
    depthwise_weight_gradient(weight_gradient, x, out_gradient, s);
    return;
  }
  if (x.dtype() == DType::float32 && is_plain_2d(s) &&
      conv2d_weight_gradient_direct(weight_gradient.data<float>(), x.data<float>(), out_gradient.data<float>(),
                                    plain_2d(s))) {
    return;
  }
  if (const auto sizes = winograd_sizes(s, x.dtype())) {
    winograd_weight_gradient(*sizes, weight_gradient.data<float>(), x.data<float>(), out_gradient.data<float>());
    return;
  }
  if (x.dtype() == DType::float32 &&
      convolution_weight_gradient_packed(weight_gradient.data<float>(), x.data<float>(), out_gradient.data<float>(),
                                         s)) {
    return;
  }
  fill(weight_gradient, 0);
  visit_floating(x.dtype(), [&]<class T>() {
    const Workspace scratch = columns_of<T>(s);
    const T* columns = reinterpret_cast<const T*>(scratch.get());
    for_each_block<T>(s, [&](std::int64_t i, std::int64_t g, std::int64_t first, std::int64_t last) {
      const std::int64_t n = (last - first) * s.out[2];
      const std::int64_t filter = g * s.group_filters();
      const T* from = out_gradient.data<T>() + (i * s.filters + filter) * s.positions() + first * s.out[2];
      const T* image = x.data<T>() + (i * s.channels + g * s.group_channels()) * s.plane();
      const T* rows = s.is_pointwise() ? image + first * s.out[2] : columns;
      if (!s.is_pointwise()) {
        to_columns(x.dtype(), scratch.get(), bytes_of(image), s, first, last);
      }
      gemm(false, true, s.group_filters(), s.taps(), n, from, s.positions(), rows, s.is_pointwise() ? s.plane() : n,
           T{1}, weight_gradient.data<T>() + filter * s.taps(), s.taps());
    });
  });
}

}  // namespace feral::cpu
