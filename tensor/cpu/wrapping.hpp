// Integers that wrap around, as in PyTorch: in C++ that is the arithmetic of their unsigned twins.
#pragma once

#include <cstdint>
#include <type_traits>

namespace feral::cpu {

template <class T>
using Wrapping = std::make_unsigned_t<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;

// a * b. Operands of 8 and 16 bits would be promoted to int, whose products may overflow.
template <class T>
constexpr T wrapping_product(T a, T b) noexcept {
  using Wide = std::conditional_t<(sizeof(T) < 4), std::uint32_t, Wrapping<T>>;
  return static_cast<T>(static_cast<Wrapping<T>>(static_cast<Wide>(a) * static_cast<Wide>(b)));
}

}  // namespace feral::cpu
