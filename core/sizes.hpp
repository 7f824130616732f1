// Sizes in checked arithmetic, and the one constant that keeps processes off each other's cache lines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.hpp"

namespace feral {

// Control words written by different processes stand at least this far apart. Two 64-byte lines rather than one:
// x86 prefetches lines in adjacent pairs, so neighbours still disturb each other at 64.
inline constexpr std::size_t control_line_bytes = 128;

// Tensors in the arena and from the allocator start on this boundary: a full AVX-512 vector, one cache line.
inline constexpr std::size_t tensor_alignment_bytes = 64;

// a * b; throws feral::Error when the product does not fit.
inline std::size_t checked_multiply(std::size_t a, std::size_t b) {
  std::size_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw Error("size overflow: the requested memory exceeds 64 bits");
  return product;
}

// a + b; throws feral::Error when the sum does not fit.
inline std::size_t checked_add(std::size_t a, std::size_t b) {
  std::size_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw Error("size overflow: the requested memory exceeds 64 bits");
  return sum;
}

// The smallest multiple of `alignment` (a power of two) that is not below `value`; throws on overflow.
inline std::size_t align_up(std::size_t value, std::size_t alignment) {
  return checked_add(value, alignment - 1) & ~(alignment - 1);
}

}  // namespace feral
