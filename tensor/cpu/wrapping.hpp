// Integers that wrap around, as in PyTorch: in C++ that is the arithmetic of their unsigned twins.
#pragma once

#include <cstdint>
#include <type_traits>

namespace feral::cpu {

template <class T>
using Wrapping = std::make_unsigned_t<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;

}  // namespace feral::cpu
