#include "tensor/allocator.hpp"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>

#include "core/fail.hpp"
#include "core/sizes.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace feral {
namespace {

// Classes: every multiple of 64 bytes up to 1 KiB, then four a power of two (at most 25 % waste).
constexpr std::size_t fine_limit = 1024;
constexpr std::size_t fine_classes = fine_limit / tensor_alignment_bytes;
constexpr int class_count = static_cast<int>(fine_classes) + 4 * 38;

struct SizeClass {
  int index;
  std::size_t bytes;
};

SizeClass class_of(std::size_t bytes) {
  if (bytes <= fine_limit) {
    const std::size_t index = bytes == 0 ? 0 : (bytes - 1) / tensor_alignment_bytes;
    return {static_cast<int>(index), (index + 1) * tensor_alignment_bytes};
  }
  const int exponent = std::bit_width(bytes - 1) - 1;  // 2^exponent < = bytes - 1
  const std::size_t step = std::size_t{1} << (exponent - 2);
  const std::size_t rounded = (bytes + step - 1) / step;  // 5 .. 8 quarters
  const int index = static_cast<int>(fine_classes) + (exponent - 10) * 4 + static_cast<int>(rounded) - 5;
  return {index, rounded * step};
}

struct FreeBlock {
  FreeBlock* next;
};

// What AddressSanitizer is told, so that it sees a use after free and an access past the end in blocks that the
// heap itself never gets back. A free block keeps its link open.
#if defined(__SANITIZE_ADDRESS__)
void hand_out(void* block, std::size_t bytes, std::size_t class_bytes) noexcept {
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + bytes, class_bytes - bytes);
}
void lock_away(void* block, std::size_t class_bytes) noexcept {
  ASAN_UNPOISON_MEMORY_REGION(block, sizeof(FreeBlock));
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + sizeof(FreeBlock), class_bytes - sizeof(FreeBlock));
}
#else
void hand_out(void*, std::size_t, std::size_t) noexcept {}
void lock_away(void*, std::size_t) noexcept {}
#endif

struct Cache {
  FreeBlock* lists[class_count] = {};
  AllocatorStatistics statistics;
  ~Cache() {
    release();
    gone = true;
  }
  void release() noexcept {
    for (FreeBlock*& list : lists) {
      while (list != nullptr) std::free(std::exchange(list, list->next));
    }
    statistics.cached_bytes = 0;
  }
  // Tensors with static or thread lifetime may outlive the cache of their thread; then the heap serves directly.
  static thread_local bool gone;
};
thread_local bool Cache::gone = false;
thread_local Cache cache;

// Large blocks are asked for as huge pages: each one spares 511 page faults and entries of the TLB.
constexpr std::size_t huge_page = std::size_t{2} << 20;

void* allocate_from_heap(std::size_t bytes) noexcept {
  if (bytes < 2 * huge_page) return std::aligned_alloc(tensor_alignment_bytes, bytes);
  bytes = (bytes + huge_page - 1) / huge_page * huge_page;
  void* block = std::aligned_alloc(huge_page, bytes);
  if (block == nullptr) return nullptr;
  (void)madvise(block, bytes, MADV_HUGEPAGE);  // only advice: the kernel may have none
  return block;
}

constexpr std::size_t max_bytes = std::size_t{1} << 47;

}  // namespace

void* allocate_block(std::size_t bytes) {
  if (bytes > max_bytes) fail("allocator: {} is more than any machine has", human_bytes(bytes));
  const SizeClass size_class = class_of(bytes);
  if (!Cache::gone) {
    ++cache.statistics.requests;
    cache.statistics.live_bytes += static_cast<std::int64_t>(size_class.bytes);
    if (FreeBlock*& list = cache.lists[size_class.index]; list != nullptr) {
      cache.statistics.cached_bytes -= size_class.bytes;
      void* block = std::exchange(list, list->next);
      hand_out(block, bytes, size_class.bytes);
      return block;
    }
    ++cache.statistics.heap_allocations;
  }
  void* block = allocate_from_heap(size_class.bytes);
  if (block == nullptr && !Cache::gone) {
    cache.release();  // what other sizes have left may be what is missing
    block = allocate_from_heap(size_class.bytes);
  }
  if (block == nullptr) {
    if (!Cache::gone) cache.statistics.live_bytes -= static_cast<std::int64_t>(size_class.bytes);
    fail("allocator: no memory for a tensor of {}", human_bytes(bytes));
  }
  hand_out(block, bytes, size_class.bytes);
  return block;
}

void deallocate_block(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  if (Cache::gone) {
    std::free(block);
    return;
  }
  const SizeClass size_class = class_of(bytes);
  auto* free_block = static_cast<FreeBlock*>(block);
  lock_away(block, size_class.bytes);
  free_block->next = std::exchange(cache.lists[size_class.index], free_block);
  cache.statistics.cached_bytes += size_class.bytes;
  cache.statistics.live_bytes -= static_cast<std::int64_t>(size_class.bytes);
}

AllocatorStatistics allocator_statistics() noexcept { return cache.statistics; }

void release_cached_blocks() noexcept { cache.release(); }

}  // namespace feral
