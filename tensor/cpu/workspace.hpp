// Scratch memory for the length of a kernel.
#pragma once

#include <cstddef>

#include "tensor/allocator.hpp"

namespace feral::cpu {

// A block of the caching allocator: no heap once warm.
class Workspace {
 public:
  explicit Workspace(std::size_t bytes) : bytes_(bytes), block_(static_cast<std::byte*>(allocate_block(bytes))) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { deallocate_block(block_, bytes_); }
  std::byte* get() const { return block_; }

 private:
  std::size_t bytes_;
  std::byte* block_;
};

}  // namespace feral::cpu
