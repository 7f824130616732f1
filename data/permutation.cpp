#include "data/permutation.hpp"

#include <bit>

#include "data/hash.hpp"
#include "tensor/philox.hpp"

namespace feral::data {
namespace {

// Set apart from the streams that models draw from.
constexpr std::uint64_t order_stream = 0x6f72646572ULL << 24;

}  // namespace

Permutation::Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t epoch) noexcept : size_(size) {
  const int bits = size <= 1 ? 1 : std::bit_width(size - 1);
  half_bits_ = (bits + 1) / 2;
  for (int i = 0; i < rounds; ++i) {
    const PhiloxBlock words = philox(seed, order_stream + epoch, static_cast<std::uint64_t>(i));
    keys_[i] = (std::uint64_t{words[0]} << 32) | words[1];
  }
}

std::uint64_t Permutation::operator()(std::uint64_t position) const noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t value = position;
  do {
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & mask;
    for (const std::uint64_t key : keys_) {
      const std::uint64_t next = left ^ (mix(right ^ key) & mask);
      left = right;
      right = next;
    }
    value = (left << half_bits_) | right;
  } while (value >= size_);
  return value;
}

}  // namespace feral::data
