#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/columns.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>

#include "tensor/cpu/columns.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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

// Calls visit(row of the columns, row of the image, columns [first, last) that read inside, start): element x of
// the row stands at x * stride - start in the image's; a row outside of the image is nullptr.
template <class Column, class Image, class Visit>
HWY_ATTR HWY_INLINE void for_each_row(Column* columns, Image* image, const ConvolutionSizes& s, std::int64_t first,
                                      std::int64_t last, const Visit& visit) {
  const std::int64_t first_z = first / s.out[1];
  const std::int64_t first_y = first % s.out[1];
  for (std::int64_t c = 0; c < s.group_channels(); ++c, image += s.plane()) {
    for (std::int64_t kz = 0; kz < s.kernel[0]; ++kz) {
      for (std::int64_t ky = 0; ky < s.kernel[1]; ++ky) {
        for (std::int64_t kx = 0; kx < s.kernel[2]; ++kx) {
          const Span across = inside(s, 2, kx);
          const std::int64_t start = s.padding[2] - kx * s.dilation[2];
          std::int64_t oz = first_z;
          std::int64_t oy = first_y;
          for (std::int64_t line = first; line < last; ++line, columns += s.out[2]) {
            const std::int64_t z = oz * s.stride[0] + kz * s.dilation[0] - s.padding[0];
            const std::int64_t y = oy * s.stride[1] + ky * s.dilation[1] - s.padding[1];
            const bool outside = z < 0 || z >= s.size[0] || y < 0 || y >= s.size[1];
            visit(columns, outside ? nullptr : image + (z * s.size[1] + y) * s.size[2], across, start);
            if (++oy < s.out[1]) continue;
            oy = 0;
            ++oz;
          }
        }
      }
    }
  }
}

template <class T>
HWY_ATTR void lay_out(T* columns, const T* image, const ConvolutionSizes& s, std::int64_t first,
                      std::int64_t last) {
  const std::int64_t width = s.out[2];
  const std::int64_t stride = s.stride[2];
  for_each_row(columns, image, s, first, last, [=](T* to, const T* from, Span across, std::int64_t start) HWY_ATTR {
    if (from == nullptr) {
      std::fill_n(to, width, T{0});
      return;
    }
    if (across.first > 0) std::fill_n(to, across.first, T{0});
    if (stride == 1) {
      copy_run(to + across.first, from + (across.first - start), across.last - across.first);
    } else {
      for (std::int64_t x = across.first; x < across.last; ++x) to[x] = from[x * stride - start];
    }
    if (across.last < width) std::fill_n(to + across.last, width - across.last, T{0});
  });
}

template <class T>
HWY_ATTR void add_back(T* image, const T* columns, const ConvolutionSizes& s, std::int64_t first,
                       std::int64_t last) {
  const std::int64_t stride = s.stride[2];
  for_each_row(columns, image, s, first, last, [=](const T* from, T* to, Span across, std::int64_t start) HWY_ATTR {
    if (to == nullptr) return;
    if (stride == 1) {
      add_run(to + (across.first - start), from + across.first, across.last - across.first);
    } else {
      for (std::int64_t x = across.first; x < across.last; ++x) to[x * stride - start] += from[x];
    }
  });
}

void lay_out_columns(DType dtype, std::byte* columns, const std::byte* image, const ConvolutionSizes& s,
                     std::int64_t first, std::int64_t last) {
  if (dtype == DType::float64) {
    lay_out(reinterpret_cast<double*>(columns), reinterpret_cast<const double*>(image), s, first, last);
  } else {
    lay_out(reinterpret_cast<float*>(columns), reinterpret_cast<const float*>(image), s, first, last);
  }
}

void add_columns_back(DType dtype, std::byte* image, const std::byte* columns, const ConvolutionSizes& s,
                      std::int64_t first, std::int64_t last) {
  if (dtype == DType::float64) {
    add_back(reinterpret_cast<double*>(image), reinterpret_cast<const double*>(columns), s, first, last);
  } else {
    add_back(reinterpret_cast<float*>(image), reinterpret_cast<const float*>(columns), s, first, last);
  }
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
namespace {
HWY_EXPORT(lay_out_columns);
HWY_EXPORT(add_columns_back);
}  // namespace

void to_columns(DType dtype, std::byte* columns, const std::byte* image, const ConvolutionSizes& sizes,
                std::int64_t first, std::int64_t last) {
  HWY_DYNAMIC_DISPATCH(lay_out_columns)(dtype, columns, image, sizes, first, last);
}

void from_columns(DType dtype, std::byte* image, const std::byte* columns, const ConvolutionSizes& sizes,
                  std::int64_t first, std::int64_t last) {
  HWY_DYNAMIC_DISPATCH(add_columns_back)(dtype, image, columns, sizes, first, last);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
