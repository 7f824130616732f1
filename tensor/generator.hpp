// Where random ops draw from: a position in a Philox stream.
#pragma once

#include <cstdint>

#include "tensor/philox.hpp"

namespace feral {

class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) noexcept : seed_(seed), stream_(stream) {}

  std::uint64_t seed() const noexcept { return seed_; }
  std::uint64_t stream() const noexcept { return stream_; }
  std::uint64_t next_block() const noexcept { return block_; }

  // Moves to the start of a stream. The worker loop does so before each batch, with the batch's number, so that
  // what a batch draws does not depend on the worker that trains it.
  void seek(std::uint64_t seed, std::uint64_t stream) noexcept {
    seed_ = seed;
    stream_ = stream;
    block_ = 0;
  }

  // Reserves the blocks for `words` random words and returns the first block's number.
  std::uint64_t reserve(std::uint64_t words) noexcept {
    const std::uint64_t first = block_;
    block_ += (words + 3) / 4;
    return first;
  }

  // The same, as the position that kernels take.
  PhiloxPosition take(std::uint64_t words) noexcept { return {seed_, stream_, reserve(words)}; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
};

// The calling thread's generator: initializers and dropout draw from it.
Generator& default_generator() noexcept;

// Puts the calling thread's generator at the start of stream 0 of `seed`.
void manual_seed(std::uint64_t seed) noexcept;

}  // namespace feral
