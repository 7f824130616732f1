// The caching allocator behind tensors, their handles and the tape.
//
// Blocks come in size classes and go back to a free list of the thread that frees them, so a training step after
// warm-up asks the heap for nothing (law 5) and takes no lock. Blocks are 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdint>

namespace feral {

// Memory for at least `bytes` bytes. Throws feral::Error when the heap refuses. Any thread.
void* allocate_block(std::size_t bytes);

// Gives back memory of allocate_block(bytes) with the same `bytes`. Any thread, not only the one it came from.
void deallocate_block(void* block, std::size_t bytes) noexcept;

struct AllocatorStatistics {
  std::uint64_t heap_allocations = 0;  // times this thread asked the heap
  std::uint64_t requests = 0;          // times this thread asked the allocator
  std::uint64_t cached_bytes = 0;      // on this thread's free lists
  // Handed out and not yet given back, rounded up to size classes. A block that another thread gives back counts
  // down there: only the sum over threads is what is in use.
  std::int64_t live_bytes = 0;
};

// Of the calling thread.
AllocatorStatistics allocator_statistics() noexcept;

// Returns the calling thread's free blocks to the heap.
void release_cached_blocks() noexcept;

}  // namespace feral
