// What is sorted in the place of elements: unsigned keys in the elements' order, each with its position. Two
// entries are never equal, so any way of sorting them is stable.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "tensor/dtype.hpp"

namespace feral::cpu {

template <std::size_t bytes>
using UnsignedOf = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t, std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

template <class T>
inline constexpr bool has_nan = !std::is_integral_v<T>;

// An unsigned number that grows with `value`; NaN gives the largest of all, -0 what 0 gives.
template <class T>
UnsignedOf<sizeof(T)> sort_key(T value) {
  using Key = UnsignedOf<sizeof(T)>;
  constexpr Key sign = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_same_v<T, bool>) {
    return value ? 1 : 0;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<Key>(static_cast<Key>(value) ^ (std::is_signed_v<T> ? sign : Key{0}));
  } else {
    constexpr int fraction_bits = std::is_same_v<T, Float16>    ? 10
                                  : std::is_same_v<T, BFloat16> ? 7
                                  : std::is_same_v<T, float>    ? 23
                                                                : 52;
    constexpr Key infinity = static_cast<Key>(static_cast<Key>(sign - 1) >> fraction_bits << fraction_bits);
    const Key bits = std::bit_cast<Key>(value);
    const Key magnitude = static_cast<Key>(bits & static_cast<Key>(sign - 1));
    const bool negative = bits > sign;  // not -0
    const Key key = negative ? static_cast<Key>(~bits) : static_cast<Key>(magnitude | sign);
    return magnitude > infinity ? std::numeric_limits<Key>::max() : key;
  }
}

// Key and position in one word: keys of at most 32 bits, fewer than 2^32 elements.
struct NarrowEntry {
  std::uint64_t word;
  static NarrowEntry make(std::uint64_t key, std::int64_t position) {
    return {key << 32 | static_cast<std::uint64_t>(position)};
  }
  std::uint64_t key() const { return word >> 32; }
  std::int64_t position() const { return static_cast<std::int64_t>(word & 0xffffffffU); }
  friend bool operator<(const NarrowEntry& a, const NarrowEntry& b) { return a.word < b.word; }
};

struct WideEntry {
  std::uint64_t bits;
  std::int64_t at;
  static WideEntry make(std::uint64_t key, std::int64_t position) { return {key, position}; }
  std::uint64_t key() const { return bits; }
  std::int64_t position() const { return at; }
  friend bool operator<(const WideEntry& a, const WideEntry& b) {
    return a.bits != b.bits ? a.bits < b.bits : a.at < b.at;
  }
};

// Calls function.template operator()<Entry>() with the entry for n elements of type T.
template <class T, class Function>
void visit_entry(std::int64_t n, Function&& function) {
  if constexpr (sizeof(T) <= 4) {
    if (n <= std::int64_t{0xffffffff}) {
      function.template operator()<NarrowEntry>();
      return;
    }
  }
  function.template operator()<WideEntry>();
}

// Key of the ascending or the descending order.
template <class T>
std::uint64_t ordered_key(T value, bool descending) {
  using Key = UnsignedOf<sizeof(T)>;
  const Key key = sort_key(value);
  return descending ? static_cast<Key>(~key) : key;
}

// Below this many entries comparing beats counting.
inline constexpr std::int64_t radix_sort_from = 160;

// Sorts n entries whose keys have `key_bytes` bytes; `spare` has room for as many. The result is where the sorted
// ones are: in one or the other. Counts digits of a byte from the last on (LSD radix sort: Knuth, The Art of
// Computer Programming 3, 5.2.5).
template <class Entry>
Entry* sort_entries(Entry* entries, Entry* spare, std::int64_t n, int key_bytes) {
  if (n < radix_sort_from) {
    std::sort(entries, entries + n);
    return entries;
  }
  constexpr int digits = 256;
  std::int64_t counts[8][digits] = {};
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint64_t key = entries[i].key();
    for (int byte = 0; byte < key_bytes; ++byte, key >>= 8) ++counts[byte][key & 0xffU];
  }
  for (int byte = 0; byte < key_bytes; ++byte) {
    std::int64_t* const next = counts[byte];
    if (next[entries[0].key() >> (8 * byte) & 0xffU] == n) continue;  // all alike
    std::int64_t before = 0;
    for (int digit = 0; digit < digits; ++digit) {
      const std::int64_t count = next[digit];
      next[digit] = before;
      before += count;
    }
    for (std::int64_t i = 0; i < n; ++i) spare[next[entries[i].key() >> (8 * byte) & 0xffU]++] = entries[i];
    std::swap(entries, spare);
  }
  return entries;
}

}  // namespace feral::cpu
