// A number for each spatial dimension of an image: strides, paddings, sizes of kernels.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace feral {

// `dims` numbers, outermost dimension first: `2` stands for all of them, `{2, 1}` names each.
template <int dims>
struct PerDim {
  std::array<std::int64_t, static_cast<std::size_t>(dims)> values{};
  bool given = false;  // false: nothing was said, and a default holds

  constexpr PerDim() = default;
  template <std::integral T>
  constexpr PerDim(T all) : given(true) {
    values.fill(static_cast<std::int64_t>(all));
  }
  template <std::integral... T>
  requires(dims > 1 && sizeof...(T) == static_cast<std::size_t>(dims)) constexpr PerDim(T... each)
      : values{static_cast<std::int64_t>(each)...}, given(true) {}

  constexpr std::int64_t operator[](int dim) const { return values[static_cast<std::size_t>(dim)]; }
  constexpr std::int64_t& operator[](int dim) { return values[static_cast<std::size_t>(dim)]; }

  // The same numbers with `rest` behind them.
  template <int more>
  constexpr PerDim<more> widened(std::int64_t rest) const {
    static_assert(more >= dims);
    PerDim<more> result(rest);
    for (int i = 0; i < dims; ++i) result[i] = (*this)[i];
    return result;
  }
};

}  // namespace feral
