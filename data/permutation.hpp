// The order of an epoch: a random permutation that is computed, not stored.
#pragma once

#include <cstdint>

namespace feral::data {

// A bijection of [0, size) onto itself that follows from (seed, epoch) alone: a balanced Feistel network of eight
// rounds on the next power of four, walking along its cycle until it lands below size (Black and Rogaway, "Ciphers
// with arbitrary finite domains", 2002). A billion samples cost no memory.
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t epoch) noexcept;

  // The sample at `position` of the epoch; both in [0, size).
  std::uint64_t operator()(std::uint64_t position) const noexcept;

 private:
  static constexpr int rounds = 8;
  std::uint64_t size_;
  int half_bits_;
  std::uint64_t keys_[rounds];
};

}  // namespace feral::data
