// Folds element by element, for any type: what Highway's folds do not do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tensor/cpu/fold.hpp"
#include "tensor/dtype.hpp"

namespace feral::cpu {

// The type that arithmetic on T is done in.
template <class T>
using Computed = std::conditional_t<is_half(dtype_of<T>), float, T>;

// An Op has an Accumulator with neutral(), fold(accumulator, element, arguments), combine(accumulator, accumulator)
// and result(accumulator, arguments); T is the elements' type, Out the results'.
template <class Op, class T, class Out>
struct ScalarFold {
  using Accumulator = typename Op::Accumulator;
  static_assert(sizeof(Accumulator) <= 16);

  static void start(std::byte* accumulators, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) at(accumulators, j) = Op::neutral();
  }

  static void row(std::byte* accumulators, const std::byte* bytes, std::int64_t n, std::int64_t stride,
                  const FoldArguments& arguments) {
    const T* x = reinterpret_cast<const T*>(bytes);
    at(accumulators, 0) = Op::combine(
        at(accumulators, 0), stride == 1 ? folded(x, n, std::integral_constant<std::int64_t, 1>(), arguments)
                                         : folded(x, n, stride, arguments));
  }

  static void columns(std::byte* accumulators, const std::byte* bytes, const Block& block,
                      const FoldArguments& arguments) {
    const T* x = reinterpret_cast<const T*>(bytes);
    for (std::int64_t i = 0; i < block.rows; ++i, x += block.row_stride) {
      if (block.column_stride == 1) {
        for (std::int64_t j = 0; j < block.columns; ++j) fold(at(accumulators, j), x[j], arguments);
      } else {
        for (std::int64_t j = 0; j < block.columns; ++j) {
          fold(at(accumulators, j), x[j * block.column_stride], arguments);
        }
      }
    }
  }

  static void finish(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                     const FoldArguments& arguments) {
    for (std::int64_t j = 0; j < n; ++j) {
      reinterpret_cast<Out*>(out)[j * stride] =
          static_cast<Out>(Op::result(reinterpret_cast<const Accumulator*>(accumulators)[j], arguments));
    }
  }

 private:
  static Accumulator& at(std::byte* accumulators, std::int64_t j) {
    return reinterpret_cast<Accumulator*>(accumulators)[j];
  }

  static void fold(Accumulator& accumulator, T element, const FoldArguments& arguments) {
    accumulator = Op::fold(accumulator, static_cast<Computed<T>>(element), arguments);
  }

  // Eight accumulators, so that no addition waits for the one before.
  template <class Stride>
  static Accumulator folded(const T* x, std::int64_t n, Stride stride, const FoldArguments& arguments) {
    Accumulator parts[8];
    for (Accumulator& part : parts) part = Op::neutral();
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
      for (std::int64_t k = 0; k < 8; ++k) fold(parts[k], x[(i + k) * stride], arguments);
    }
    for (; i < n; ++i) fold(parts[0], x[i * stride], arguments);
    for (int half = 4; half > 0; half /= 2) {
      for (int k = 0; k < half; ++k) parts[k] = Op::combine(parts[k], parts[k + half]);
    }
    return parts[0];
  }
};

template <class Op, class T, class Out>
inline constexpr Fold scalar_fold = {.start = ScalarFold<Op, T, Out>::start,
                                     .row = ScalarFold<Op, T, Out>::row,
                                     .columns = ScalarFold<Op, T, Out>::columns,
                                     .finish = ScalarFold<Op, T, Out>::finish};

}  // namespace feral::cpu
