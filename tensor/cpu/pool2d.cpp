// Max-pooling. Windows of 2×2 side by side, the common case, go four at a time; others one by one.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/pool2d.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include "tensor/cpu/kernels.hpp"

#ifndef FERAL_TENSOR_CPU_POOL2D_ONCE
#define FERAL_TENSOR_CPU_POOL2D_ONCE
namespace feral::cpu {
// Sizes of one pooling, in elements.
struct PoolSizes {
  std::int64_t planes, height, width, out_height, out_width, kernel, stride;

  bool is_2x2() const { return kernel == 2 && stride == 2; }
  std::int64_t plane() const { return height * width; }
  std::int64_t out_plane() const { return out_height * out_width; }
};
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether b replaces a as the maximum of a window: it is larger, or the first NaN, which wins as in PyTorch.
template <class T>
HWY_INLINE bool replaces(T b, T a) {
  return (b > a || b != b) && a == a;
}

template <class T>
HWY_INLINE T max_of_window(const T* corner, std::int64_t width, std::int64_t kernel, std::int64_t& where) {
  T largest = corner[0];
  where = 0;
  for (std::int64_t ky = 0; ky < kernel; ++ky) {
    for (std::int64_t kx = 0; kx < kernel; ++kx) {
      const T value = corner[ky * width + kx];
      if (!replaces(value, largest)) continue;
      largest = value;
      where = ky * kernel + kx;
    }
  }
  return largest;
}

template <class D, class V>
HWY_ATTR HWY_INLINE hn::Mask<D> replaces(D, V b, V a) {
  return hn::And(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), hn::Not(hn::IsNaN(a)));
}

template <class T>
HWY_ATTR void pool(T* out, std::uint8_t* window, const T* x, const PoolSizes& s) {
  const hn::CappedTag<T, 4> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto mask_of = [&](auto condition) HWY_ATTR { return hn::VecFromMask(di, hn::RebindMask(di, condition)); };
  for (std::int64_t plane = 0; plane < s.planes; ++plane, x += s.plane()) {
    for (std::int64_t y = 0; y < s.out_height; ++y, out += s.out_width) {
      const T* upper = x + y * s.stride * s.width;
      std::int64_t column = 0;
      if (s.is_2x2()) {
        const T* lower = upper + s.width;
        for (; column + lanes <= s.out_width; column += lanes) {
          hn::Vec<decltype(d)> a, b, c, e;
          hn::LoadInterleaved2(d, upper + 2 * column, a, b);
          hn::LoadInterleaved2(d, lower + 2 * column, c, e);
          const auto b_wins = replaces(d, b, a);
          const auto e_wins = replaces(d, e, c);
          const auto top = hn::IfThenElse(b_wins, b, a);
          const auto bottom = hn::IfThenElse(e_wins, e, c);
          const auto bottom_wins = replaces(d, bottom, top);
          hn::StoreU(hn::IfThenElse(bottom_wins, bottom, top), d, out + column);
          if (window == nullptr) continue;
          // Masks are 0 or -1: 2 * bottom_wins + (bottom_wins ? e_wins : b_wins), negated.
          const auto bottoms = mask_of(bottom_wins);
          const auto odd = hn::IfVecThenElse(bottoms, mask_of(e_wins), mask_of(b_wins));
          const auto where = hn::Neg(hn::Add(hn::Add(bottoms, bottoms), odd));
          for (std::int64_t i = 0; i < lanes; ++i) {
            if constexpr (sizeof(T) == 4) break;
            window[column + i] = static_cast<std::uint8_t>(hn::ExtractLane(where, static_cast<std::size_t>(i)));
          }
          if constexpr (sizeof(T) == 4) hn::StoreU(hn::DemoteTo(d8, where), d8, window + column);
        }
      }
      for (; column < s.out_width; ++column) {
        std::int64_t where = 0;
        out[column] = max_of_window(upper + column * s.stride, s.width, s.kernel, where);
        if (window != nullptr) window[column] = static_cast<std::uint8_t>(where);
      }
      if (window != nullptr) window += s.out_width;
    }
  }
}

// x_gradient starts as zeroes unless every element lies in exactly one 2×2 window.
template <class T>
HWY_ATTR void scatter(T* x_gradient, const T* gradient, const std::uint8_t* window, const PoolSizes& s) {
  const hn::CappedTag<T, 4> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t plane = 0; plane < s.planes; ++plane, x_gradient += s.plane()) {
    for (std::int64_t y = 0; y < s.out_height; ++y, gradient += s.out_width, window += s.out_width) {
      T* upper = x_gradient + y * s.stride * s.width;
      std::int64_t column = 0;
      if constexpr (sizeof(T) == 4) {
        T* lower = upper + s.width;
        for (; s.is_2x2() && column + lanes <= s.out_width; column += lanes) {
          const auto g = hn::LoadU(d, gradient + column);
          const auto where = hn::PromoteTo(di, hn::LoadU(d8, window + column));
          const auto at = [&](int position) HWY_ATTR {
            return hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(where, hn::Set(di, position))), g);
          };
          hn::StoreInterleaved2(at(0), at(1), d, upper + 2 * column);
          hn::StoreInterleaved2(at(2), at(3), d, lower + 2 * column);
        }
      }
      for (; column < s.out_width; ++column) {
        const std::int64_t where = window[column];
        upper[(where / s.kernel) * s.width + column * s.stride + where % s.kernel] += gradient[column];
      }
    }
  }
}

template <class T>
HWY_ATTR void gather(T* out, const T* x, const std::uint8_t* window, const PoolSizes& s) {
  for (std::int64_t plane = 0; plane < s.planes; ++plane, x += s.plane()) {
    for (std::int64_t y = 0; y < s.out_height; ++y, out += s.out_width, window += s.out_width) {
      const T* upper = x + y * s.stride * s.width;
      for (std::int64_t column = 0; column < s.out_width; ++column) {
        const std::int64_t where = window[column];
        out[column] = upper[(where / s.kernel) * s.width + column * s.stride + where % s.kernel];
      }
    }
  }
}

// Highway exports functions, not templates.
void pool_float32(float* out, std::uint8_t* window, const float* x, const PoolSizes& s) { pool(out, window, x, s); }
void pool_float64(double* out, std::uint8_t* window, const double* x, const PoolSizes& s) {
  pool(out, window, x, s);
}
void scatter_float32(float* to, const float* from, const std::uint8_t* window, const PoolSizes& s) {
  scatter(to, from, window, s);
}
void scatter_float64(double* to, const double* from, const std::uint8_t* window, const PoolSizes& s) {
  scatter(to, from, window, s);
}
void gather_float32(float* to, const float* from, const std::uint8_t* window, const PoolSizes& s) {
  gather(to, from, window, s);
}
void gather_float64(double* to, const double* from, const std::uint8_t* window, const PoolSizes& s) {
  gather(to, from, window, s);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
namespace {
HWY_EXPORT(pool_float32);
HWY_EXPORT(pool_float64);
HWY_EXPORT(scatter_float32);
HWY_EXPORT(scatter_float64);
HWY_EXPORT(gather_float32);
HWY_EXPORT(gather_float64);

PoolSizes sizes_of(const Tensor& x, const Tensor& out, Pool2dGeometry geometry) {
  return {x.shape()[0] * x.shape()[1],
          x.shape()[2],
          x.shape()[3],
          out.shape()[2],
          out.shape()[3],
          geometry.kernel,
          geometry.stride};
}

}  // namespace

void max_pool2d(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry) {
  const PoolSizes s = sizes_of(x, out, geometry);
  std::uint8_t* where = window.defined() ? window.data<std::uint8_t>() : nullptr;
  if (x.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(pool_float64)(out.data<double>(), where, x.data<double>(), s);
  } else {
    HWY_DYNAMIC_DISPATCH(pool_float32)(out.data<float>(), where, x.data<float>(), s);
  }
}

void max_pool2d_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                        Pool2dGeometry geometry) {
  const PoolSizes s = sizes_of(x_gradient, out_gradient, geometry);
  // The vector path writes every element of its windows, which cover the plane when these sizes fit.
  const bool covered = x_gradient.dtype() == DType::float32 && s.is_2x2() && s.height % 2 == 0 && s.width % 8 == 0;
  if (!covered) fill(x_gradient, 0);
  const auto* where = window.data<std::uint8_t>();
  if (x_gradient.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(scatter_float64)(x_gradient.data<double>(), out_gradient.data<double>(), where, s);
  } else {
    HWY_DYNAMIC_DISPATCH(scatter_float32)(x_gradient.data<float>(), out_gradient.data<float>(), where, s);
  }
}

void max_pool2d_gather(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry) {
  const PoolSizes s = sizes_of(x, out, geometry);
  const auto* where = window.data<std::uint8_t>();
  if (x.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(gather_float64)(out.data<double>(), x.data<double>(), where, s);
  } else {
    HWY_DYNAMIC_DISPATCH(gather_float32)(out.data<float>(), x.data<float>(), where, s);
  }
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
