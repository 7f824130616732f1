// The largest and smallest elements.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/reduce_extreme.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "tensor/cpu/extreme-inl.hpp"
#include "tensor/cpu/fold.hpp"
#include "tensor/cpu/fold_kernels.hpp"
#include "tensor/cpu/scalar_fold.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

template <class Side, class T>
struct ExtremeFold {
  static void start(std::byte* accumulators, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) reinterpret_cast<T*>(accumulators)[j] = Side::template neutral<T>();
  }

  static HWY_ATTR void row(std::byte* accumulators, const std::byte* bytes, std::int64_t n, std::int64_t stride,
                           const FoldArguments&) {
    const T* x = reinterpret_cast<const T*>(bytes);
    T& held = *reinterpret_cast<T*>(accumulators);
    if (stride == 1) {
      held = better<Side>(held, extreme_of<Side>(x, n));
      return;
    }
    T best = held;
    for (std::int64_t i = 0; i < n; ++i) best = better<Side>(best, x[i * stride]);
    held = best;
  }

  // Some rows into the columns from j on, by whole vectors of D.
  template <int rows, class D>
  static HWY_ATTR void look(D d, T* held, const T* x, std::int64_t row_stride, std::int64_t& j,
                            std::int64_t columns) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (; j + lanes <= columns; j += lanes) {
      auto best = hn::LoadU(d, held + j);
      auto nan = best;
      for (int k = 0; k < rows; ++k) {
        const auto v = hn::LoadU(d, x + j + k * row_stride);
        best = Side::of(best, v);
        if constexpr (std::is_floating_point_v<T>) nan = hn::IfThenElse(hn::IsNaN(v), v, nan);
      }
      if constexpr (std::is_floating_point_v<T>) best = hn::IfThenElse(hn::IsNaN(nan), nan, best);
      hn::StoreU(best, d, held + j);
    }
  }

  template <int rows>
  static HWY_ATTR void look_all(T* held, const T* x, std::int64_t row_stride, std::int64_t columns) {
    std::int64_t j = 0;
    look<rows>(hn::ScalableTag<T>(), held, x, row_stride, j, columns);
    look<rows>(hn::CappedTag<T, 16 / sizeof(T)>(), held, x, row_stride, j, columns);
    for (; j < columns; ++j) {
      for (int k = 0; k < rows; ++k) held[j] = better<Side>(held[j], x[j + k * row_stride]);
    }
  }

  static HWY_ATTR void columns(std::byte* accumulators, const std::byte* bytes, const Block& block,
                               const FoldArguments&) {
    const T* x = reinterpret_cast<const T*>(bytes);
    T* held = reinterpret_cast<T*>(accumulators);
    std::int64_t i = 0;
    if (block.column_stride != 1) {
      for (; i < block.rows; ++i, x += block.row_stride) {
        for (std::int64_t j = 0; j < block.columns; ++j)
          held[j] = better<Side>(held[j], x[j * block.column_stride]);
      }
      return;
    }
    for (; i + 8 <= block.rows; i += 8) {
      look_all<8>(held, x + i * block.row_stride, block.row_stride, block.columns);
    }
    for (; i < block.rows; ++i) look_all<1>(held, x + i * block.row_stride, block.row_stride, block.columns);
  }

  static void finish(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                     const FoldArguments&) {
    for (std::int64_t j = 0; j < n; ++j) {
      reinterpret_cast<T*>(out)[j * stride] = reinterpret_cast<const T*>(accumulators)[j];
    }
  }

  static constexpr Fold fold() { return {.start = start, .row = row, .columns = columns, .finish = finish}; }
};

// Of types with vectors of their own; bool is compared as its byte.
template <class Side>
Fold pick_extreme_side(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return ExtremeFold<Side, double>::fold();
    case DType::int32:
      return ExtremeFold<Side, std::int32_t>::fold();
    case DType::int64:
      return ExtremeFold<Side, std::int64_t>::fold();
    case DType::uint8:
    case DType::boolean:
      return ExtremeFold<Side, std::uint8_t>::fold();
    case DType::int8:
      return ExtremeFold<Side, std::int8_t>::fold();
    case DType::int16:
      return ExtremeFold<Side, std::int16_t>::fold();
    default:
      return ExtremeFold<Side, float>::fold();
  }
}

Fold pick_extreme(DType dtype, bool largest) {
  return largest ? pick_extreme_side<Largest>(dtype) : pick_extreme_side<Smallest>(dtype);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_extreme);

namespace {

template <int sign>
struct HalfExtreme {
  using Accumulator = float;
  static Accumulator neutral() { return -sign * std::numeric_limits<float>::infinity(); }
  static Accumulator fold(Accumulator held, float x, const FoldArguments&) { return combine(held, x); }
  static Accumulator combine(Accumulator a, Accumulator b) { return sign * a >= sign * b || std::isnan(a) ? a : b; }
  static Accumulator result(Accumulator held, const FoldArguments&) { return held; }
};

}  // namespace

void reduce_extreme(const Tensor& out, const Tensor& x, DimSet dims, bool largest) {
  if (!is_half(x.dtype())) return run_fold(HWY_DYNAMIC_DISPATCH(pick_extreme)(x.dtype(), largest), out, x, dims);
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (is_half(dtype_of<T>)) {
      run_fold(largest ? scalar_fold<HalfExtreme<1>, T, T> : scalar_fold<HalfExtreme<-1>, T, T>, out, x, dims);
    }
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
