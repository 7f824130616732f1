// Where the largest and smallest elements stand.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/argextreme.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <limits>

#include "tensor/cpu/extreme-inl.hpp"
#include "tensor/cpu/fold.hpp"
#include "tensor/cpu/kernels.hpp"

#ifndef FERAL_TENSOR_CPU_ARGEXTREME_ONCE
#define FERAL_TENSOR_CPU_ARGEXTREME_ONCE
namespace feral::cpu {

// A tile of accumulators: the best elements (in 8 bytes' room each), behind them their indices.
inline std::int64_t* indices_of(std::byte* accumulators) {
  return reinterpret_cast<std::int64_t*>(accumulators + fold_columns * 8);
}

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {

// T is the elements' type, C what they are compared as.
template <class Side, class T, class C>
struct ArgFold {
  static void start(std::byte* accumulators, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) {
      reinterpret_cast<C*>(accumulators)[j] = Side::template neutral<C>();
      indices_of(accumulators)[j] = 0;
    }
  }

  static void consider(C& held, std::int64_t& index, C x, std::int64_t i) {
    if (is_number(held) && (!is_number(x) || Side::beats(x, held))) {
      held = x;
      index = i;
    }
  }

  // The first element that equals `value`, or that is a NaN if it is one.
  static HWY_ATTR std::int64_t find(const T* x, std::int64_t n, C value) {
    std::int64_t i = 0;
    if constexpr (std::is_same_v<T, C> && std::is_floating_point_v<T>) {
      const hn::ScalableTag<T> d;
      const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
      const auto wanted = hn::Set(d, value);
      for (; i + lanes <= n; i += lanes) {
        const auto v = hn::LoadU(d, x + i);
        const auto found = hn::FindFirstTrue(d, is_number(value) ? hn::Eq(v, wanted) : hn::IsNaN(v));
        if (found >= 0) return i + found;
      }
    }
    while (is_number(value) ? static_cast<C>(x[i]) != value : is_number(static_cast<C>(x[i]))) ++i;
    return i;
  }

  static HWY_ATTR void row(std::byte* accumulators, const std::byte* bytes, std::int64_t n, std::int64_t stride,
                           const FoldArguments& arguments) {
    const T* x = reinterpret_cast<const T*>(bytes);
    C& held = *reinterpret_cast<C*>(accumulators);
    std::int64_t& index = *indices_of(accumulators);
    if constexpr (std::is_same_v<T, C>) {
      if (stride == 1) {
        // The extreme of a piece first, its place only where it is a new one.
        constexpr std::int64_t piece = 2048;
        for (std::int64_t i = 0; i < n && is_number(held); i += piece) {
          const std::int64_t length = HWY_MIN(piece, n - i);
          const C best = extreme_of<Side>(x + i, length);
          if (is_number(best) && !Side::beats(best, held)) continue;
          held = best;
          index = arguments.index + i + find(x + i, length, best);
        }
        return;
      }
    }
    for (std::int64_t i = 0; i < n; ++i) consider(held, index, static_cast<C>(x[i * stride]), arguments.index + i);
  }

  // Up to four rows from `row` on into the columns from j on, by whole vectors of D; `places` are rows, of lanes of
  // the elements' size.
  template <int rows, class D, class I>
  static HWY_ATTR void look(D d, C* held, I* places, const C* x, std::int64_t row_stride, std::int64_t row_number,
                            std::int64_t& j, std::int64_t columns) {
    const hn::Rebind<I, D> di;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (; j + lanes <= columns; j += lanes) {
      auto best = hn::LoadU(d, held + j);
      auto place = hn::LoadU(di, places + j);
      for (int k = 0; k < rows; ++k) {
        const auto v = hn::LoadU(d, x + j + k * row_stride);
        // A NaN that is held beats all, one that comes beats numbers.
        const auto stays = hn::Or(Side::holds(best, v), hn::IsNaN(best));
        best = hn::IfThenElse(stays, best, v);
        place = hn::IfThenElse(hn::RebindMask(di, stays), place, hn::Set(di, static_cast<I>(row_number + k)));
      }
      hn::StoreU(best, d, held + j);
      hn::StoreU(place, di, places + j);
    }
  }

  static HWY_ATTR void columns(std::byte* accumulators, const std::byte* bytes, const Block& block,
                               const FoldArguments& arguments) {
    const T* x = reinterpret_cast<const T*>(bytes);
    C* held = reinterpret_cast<C*>(accumulators);
    std::int64_t* indices = indices_of(accumulators);
    if constexpr (std::is_same_v<T, C> && std::is_floating_point_v<T>) {
      using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
      if (block.column_stride == 1 && block.rows <= std::numeric_limits<std::int32_t>::max()) {
        HWY_ALIGN I places[fold_columns];
        for (std::int64_t j = 0; j < block.columns; ++j) places[j] = -1;
        std::int64_t i = 0;
        for (; i + 4 <= block.rows; i += 4) look_all<4>(held, places, x, block, i);
        for (; i < block.rows; ++i) look_all<1>(held, places, x, block, i);
        for (std::int64_t j = 0; j < block.columns; ++j) {
          if (places[j] >= 0) indices[j] = arguments.index + places[j];
        }
        return;
      }
    }
    for (std::int64_t i = 0; i < block.rows; ++i, x += block.row_stride) {
      for (std::int64_t j = 0; j < block.columns; ++j) {
        consider(held[j], indices[j], static_cast<C>(x[j * block.column_stride]), arguments.index + i);
      }
    }
  }

  template <int rows, class I>
  static HWY_ATTR void look_all(C* held, I* places, const C* x, const Block& block, std::int64_t row_number) {
    std::int64_t j = 0;
    const C* from = x + row_number * block.row_stride;
    look<rows>(hn::ScalableTag<C>(), held, places, from, block.row_stride, row_number, j, block.columns);
    look<rows>(hn::CappedTag<C, 4>(), held, places, from, block.row_stride, row_number, j, block.columns);
    look<rows>(hn::CappedTag<C, 1>(), held, places, from, block.row_stride, row_number, j, block.columns);
  }

  static void finish(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                     const FoldArguments&) {
    const auto* indices = reinterpret_cast<const std::int64_t*>(accumulators + fold_columns * 8);
    for (std::int64_t j = 0; j < n; ++j) reinterpret_cast<std::int64_t*>(out)[j * stride] = indices[j];
  }

  static constexpr Fold fold() {
    return {.start = start, .row = row, .columns = columns, .finish = finish, .ordered = true};
  }
};

template <class Side>
Fold pick_arg_side(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return ArgFold<Side, float, float>::fold();
    case DType::float64:
      return ArgFold<Side, double, double>::fold();
    case DType::int32:
      return ArgFold<Side, std::int32_t, std::int32_t>::fold();
    case DType::int64:
      return ArgFold<Side, std::int64_t, std::int64_t>::fold();
    case DType::uint8:
    case DType::boolean:
      return ArgFold<Side, std::uint8_t, std::uint8_t>::fold();
    case DType::int8:
      return ArgFold<Side, std::int8_t, std::int8_t>::fold();
    case DType::int16:
      return ArgFold<Side, std::int16_t, std::int16_t>::fold();
    case DType::float16:
      return ArgFold<Side, Float16, float>::fold();
    case DType::bfloat16:
      return ArgFold<Side, BFloat16, float>::fold();
  }
  __builtin_unreachable();
}

Fold pick_arg(DType dtype, bool largest) {
  return largest ? pick_arg_side<Largest>(dtype) : pick_arg_side<Smallest>(dtype);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_arg);

namespace {

void arg(const Tensor& out, const Tensor& x, int dim, bool largest) {
  run_fold(HWY_DYNAMIC_DISPATCH(pick_arg)(x.dtype(), largest), out, x,
           dim < 0 ? DimSet::all(x.dims()) : DimSet::of(dim));
}

}  // namespace

void argmax(const Tensor& out, const Tensor& x, int dim) { arg(out, x, dim, true); }
void argmin(const Tensor& out, const Tensor& x, int dim) { arg(out, x, dim, false); }

}  // namespace feral::cpu
#endif  // HWY_ONCE
