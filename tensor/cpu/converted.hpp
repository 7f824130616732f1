// One number of one element type as another.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/dtype.hpp"

namespace feral::cpu {

// To bool: whether it is not 0. A float to an integer: its fraction is cut off; beyond the range of int32 (int64
// for that type) the nearest number within, 0 for a NaN; narrower integers keep the low bits of that, as they do of
// any wider integer. (PyTorch leaves what is beyond the range open.)
template <class To, class From>
constexpr To converted(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<To, bool>) {
    if constexpr (std::is_integral_v<From>) {
      return value != 0;
    } else {
      return static_cast<float>(value) != 0 || (sizeof(From) == 8 && static_cast<double>(value) != 0);
    }
  } else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    using Float = std::conditional_t<std::is_same_v<From, double>, double, float>;
    using Wide = std::conditional_t<sizeof(To) == 8, std::int64_t, std::int32_t>;
    const auto number = static_cast<Float>(value);
    constexpr auto low = static_cast<Float>(std::numeric_limits<Wide>::min());
    if (number != number) return 0;
    if (number <= low) return static_cast<To>(std::numeric_limits<Wide>::min());
    if (number >= -low) return static_cast<To>(std::numeric_limits<Wide>::max());
    return static_cast<To>(static_cast<Wide>(number));
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace feral::cpu
