// Elements as words of their size: what only moves them needs no more of their type.
#pragma once

#include <cstddef>
#include <cstdint>

namespace feral::cpu {

// Calls function.template operator()<U>() with the unsigned type of `size` bytes: 1, 2, 4 or 8.
template <class Function>
void visit_size(std::size_t size, Function&& function) {
  switch (size) {
    case 1:
      return function.template operator()<std::uint8_t>();
    case 2:
      return function.template operator()<std::uint16_t>();
    case 4:
      return function.template operator()<std::uint32_t>();
    default:
      return function.template operator()<std::uint64_t>();
  }
}

}  // namespace feral::cpu
