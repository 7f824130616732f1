// A mixing function for positions and keys.
#pragma once

#include <cstdint>

namespace feral::data {

// The finalizer of SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", 2014): a bijection
// on 64 bits in which every output bit depends on every input bit.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace feral::data
