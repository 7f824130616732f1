// Convolution as matrix products: an image at a time is laid out as columns that stay in the second-level cache.
// Where a direct kernel fits (conv2d_direct.hpp), it goes first.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv2d.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/conv2d_direct.hpp"
#include "tensor/cpu/conv2d_sizes.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where tap column `kx` meets the image: output columns [first, last) read inside it.
struct Span {
  std::int64_t first, last;
};
inline Span inside(std::int64_t k, std::int64_t stride, std::int64_t padding, std::int64_t size,
                   std::int64_t out_size) {
  const std::int64_t start = padding - k;  // output position o reads o * stride - start
  const std::int64_t first = start <= 0 ? 0 : (start + stride - 1) / stride;
  const std::int64_t last = (size - 1 + start) < 0 ? 0 : (size - 1 + start) / stride + 1;
  return {std::min(first, out_size), std::max(std::min(first, out_size), std::min(last, out_size))};
}

// Short runs: a call to memcpy or memset costs more than the copy.
template <class T>
HWY_ATTR HWY_INLINE void copy_run(T* HWY_RESTRICT to, const T* HWY_RESTRICT from, std::int64_t n) {
  const hn::CappedTag<T, 32 / sizeof(T)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  for (; i < n; ++i) to[i] = from[i];
}

template <class T>
HWY_ATTR HWY_INLINE void add_run(T* HWY_RESTRICT to, const T* HWY_RESTRICT from, std::int64_t n) {
  const hn::CappedTag<T, 32 / sizeof(T)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  for (; i < n; ++i) to[i] += from[i];
}

// columns [taps, positions] of one image [channels, height, width].
template <class T>
HWY_ATTR void image_to_columns(T* columns, const T* image, const ConvSizes& s) {
  for (std::int64_t c = 0; c < s.channels; ++c) {
    const T* plane = image + c * s.height * s.width;
    for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
      const Span rows = inside(ky, s.stride, s.padding, s.height, s.out_height);
      for (std::int64_t kx = 0; kx < s.kernel_width; ++kx, columns += s.positions()) {
        const Span cols = inside(kx, s.stride, s.padding, s.width, s.out_width);
        if (s.padding != 0) std::fill_n(columns, s.positions(), T{0});
        for (std::int64_t y = rows.first; y < rows.last; ++y) {
          const T* from = plane + (y * s.stride + ky - s.padding) * s.width + kx - s.padding;
          T* to = columns + y * s.out_width;
          if (s.stride == 1) {
            copy_run(to + cols.first, from + cols.first, cols.last - cols.first);
          } else {
            for (std::int64_t x = cols.first; x < cols.last; ++x) to[x] = from[x * s.stride];
          }
        }
      }
    }
  }
}

// Adds columns [taps, positions] back onto one image.
template <class T>
HWY_ATTR void columns_to_image(T* image, const T* columns, const ConvSizes& s) {
  for (std::int64_t c = 0; c < s.channels; ++c) {
    T* plane = image + c * s.height * s.width;
    for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
      const Span rows = inside(ky, s.stride, s.padding, s.height, s.out_height);
      for (std::int64_t kx = 0; kx < s.kernel_width; ++kx, columns += s.positions()) {
        const Span cols = inside(kx, s.stride, s.padding, s.width, s.out_width);
        for (std::int64_t y = rows.first; y < rows.last; ++y) {
          T* to = plane + (y * s.stride + ky - s.padding) * s.width + kx - s.padding;
          const T* from = columns + y * s.out_width;
          if (s.stride == 1) {
            add_run(to + cols.first, from + cols.first, cols.last - cols.first);
          } else {
            for (std::int64_t x = cols.first; x < cols.last; ++x) to[x * s.stride] += from[x];
          }
        }
      }
    }
  }
}

void to_columns(DType dtype, std::byte* columns, const std::byte* image, const ConvSizes& s) {
  if (dtype == DType::float64) {
    image_to_columns(reinterpret_cast<double*>(columns), reinterpret_cast<const double*>(image), s);
  } else {
    image_to_columns(reinterpret_cast<float*>(columns), reinterpret_cast<const float*>(image), s);
  }
}

void from_columns(DType dtype, std::byte* image, const std::byte* columns, const ConvSizes& s) {
  if (dtype == DType::float64) {
    columns_to_image(reinterpret_cast<double*>(image), reinterpret_cast<const double*>(columns), s);
  } else {
    columns_to_image(reinterpret_cast<float*>(image), reinterpret_cast<const float*>(columns), s);
  }
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
namespace {
HWY_EXPORT(to_columns);
HWY_EXPORT(from_columns);

ConvSizes sizes_of(const Tensor& x, const Tensor& weight, const Tensor& out, Conv2dGeometry geometry) {
  return {x.shape()[0],    x.shape()[1],     x.shape()[2],   x.shape()[3],   weight.shape()[2], weight.shape()[3],
          geometry.stride, geometry.padding, out.shape()[1], out.shape()[2], out.shape()[3]};
}

template <class T>
Workspace columns_of(const ConvSizes& s) {
  return Workspace(static_cast<std::size_t>(s.taps() * s.positions()) * sizeof(T));
}

}  // namespace

void conv2d(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dGeometry geometry) {
  const ConvSizes s = sizes_of(x, weight, out, geometry);
  if (out.dtype() == DType::float32 && conv2d_direct(out.data<float>(), x.data<float>(), weight.data<float>(),
                                                     bias.defined() ? bias.data<float>() : nullptr, s)) {
    return;
  }
  const auto layout = HWY_DYNAMIC_DISPATCH(to_columns);
  visit_floating(out.dtype(), [&]<class T>() {
    const Workspace columns = columns_of<T>(s);
    for (std::int64_t i = 0; i < s.batch; ++i) {
      T* to = out.data<T>() + i * s.filters * s.positions();
      if (bias.defined()) {
        for (std::int64_t f = 0; f < s.filters; ++f) {
          std::fill_n(to + f * s.positions(), s.positions(), racy_load(bias.data<T>() + f));
        }
      }
      layout(out.dtype(), columns.get(), reinterpret_cast<const std::byte*>(x.data<T>() + i * s.image()), s);
      gemm(false, false, s.filters, s.positions(), s.taps(), weight.data<T>(), s.taps(),
           reinterpret_cast<const T*>(columns.get()), s.positions(), bias.defined() ? T{1} : T{0}, to,
           s.positions());
    }
  });
}

void conv2d_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                           Conv2dGeometry geometry) {
  const ConvSizes s = sizes_of(x_gradient, weight, out_gradient, geometry);
  const auto gather = HWY_DYNAMIC_DISPATCH(from_columns);
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    const Workspace columns = columns_of<T>(s);
    for (std::int64_t i = 0; i < s.batch; ++i) {
      gemm(true, false, s.taps(), s.positions(), s.filters, weight.data<T>(), s.taps(),
           out_gradient.data<T>() + i * s.filters * s.positions(), s.positions(), T{0},
           reinterpret_cast<T*>(columns.get()), s.positions());
      if constexpr (std::is_same_v<T, float>) {
        if (columns_to_image_direct(x_gradient.data<T>() + i * s.image(), reinterpret_cast<float*>(columns.get()),
                                    s)) {
          continue;
        }
      }
      T* image = x_gradient.data<T>() + i * s.image();
      std::fill_n(image, s.image(), T{0});
      gather(x_gradient.dtype(), reinterpret_cast<std::byte*>(image), columns.get(), s);
    }
  });
}

void conv2d_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                            Conv2dGeometry geometry) {
  const ConvSizes s = sizes_of(x, weight_gradient, out_gradient, geometry);
  if (x.dtype() == DType::float32 && conv2d_weight_gradient_direct(weight_gradient.data<float>(), x.data<float>(),
                                                                   out_gradient.data<float>(), s)) {
    return;
  }
  const auto layout = HWY_DYNAMIC_DISPATCH(to_columns);
  fill(weight_gradient, 0);
  visit_floating(x.dtype(), [&]<class T>() {
    const Workspace columns = columns_of<T>(s);
    for (std::int64_t i = 0; i < s.batch; ++i) {
      layout(x.dtype(), columns.get(), reinterpret_cast<const std::byte*>(x.data<T>() + i * s.image()), s);
      gemm(false, true, s.filters, s.taps(), s.positions(), out_gradient.data<T>() + i * s.filters * s.positions(),
           s.positions(), reinterpret_cast<const T*>(columns.get()), s.positions(), T{1}, weight_gradient.data<T>(),
           s.taps());
    }
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
