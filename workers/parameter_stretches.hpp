// The flat region of parameters and buffers (nn/flat_parameters.hpp) as stretches of one type, and how a change
// made on a private copy of it is brought to another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/flat_parameters.hpp"

namespace feral {

// How a difference is added to an element that others change at the same time.
enum class Adding {
  racy,    // load, add, store: what came between is lost
  atomic,  // compare and swap: nothing is lost
};

class ParameterStretches {
 public:
  explicit ParameterStretches(const nn::FlatLayout& layout);

  // Brings what has changed from `base` to `now`, both private, to `target`, which others may read and write. All
  // three are whole flat regions. Only cache lines with a change are touched, element by element:
  //   - floating-point parameters and integers (counts of batches): target += now - base. An element of `target`
  //   that
  //     still equals `base` becomes `now` to the bit.
  //   - all else (running statistics): target = now where it changed. Adding what two workers have moved a variance
  //     by could make it negative.
  void add_changes(std::span<std::byte> target, std::span<const std::byte> base, std::span<const std::byte> now,
                   Adding adding) const noexcept;

  // Makes `replica` and `common` agree, both of which others may read and write, though nobody else reconciles:
  // what the replica has changed since it was `seen` goes to the common region, what the common one has since goes
  // to the replica, and `seen` becomes what both now hold. Of what is not added to, the replica's change counts,
  // else the common one's.
  void reconcile(std::span<std::byte> replica, std::span<std::byte> seen,
                 std::span<std::byte> common) const noexcept;

 private:
  struct Stretch {
    std::size_t offset_bytes;
    std::size_t size_bytes;  // up to the next stretch: whole cache lines
    DType dtype;
    bool adds;
  };
  std::vector<Stretch> stretches_;
};

// Copies a region of whole words that others read or write meanwhile, in either place; each element that arrives is
// one that was there.
void copy_live(std::span<std::byte> to, std::span<const std::byte> from) noexcept;

// A number that differs where any bit of the region does, but for one chance in 2^64.
std::uint64_t checksum(std::span<const std::byte> region) noexcept;

}  // namespace feral
