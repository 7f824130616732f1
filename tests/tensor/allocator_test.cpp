#include "tensor/allocator.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "core/sizes.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

class Allocator : public testing::Test {
 protected:
  Allocator() { release_cached_blocks(); }
  ~Allocator() override { release_cached_blocks(); }
};

constexpr std::size_t interesting_sizes[] = {0,    1,    63,   64,   65,   1023,  1024,  1025,   1280,
                                             1281, 2047, 2048, 2049, 4096, 65535, 65537, 1000000};

TEST_F(Allocator, BlocksAreAlignedAndWritableToTheirLastByte) {
  for (const std::size_t bytes : interesting_sizes) {
    void* block = allocate_block(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % tensor_alignment_bytes, 0U) << bytes;
    std::memset(block, 0xA5, bytes);
    deallocate_block(block, bytes);
  }
}

TEST_F(Allocator, AFreedBlockServesTheNextRequestOfItsClass) {
  for (const std::size_t bytes : interesting_sizes) {
    void* first = allocate_block(bytes);
    deallocate_block(first, bytes);
    void* second = allocate_block(bytes);
    EXPECT_EQ(second, first) << bytes;
    deallocate_block(second, bytes);
  }
}

TEST_F(Allocator, SizesOfOneClassShareBlocksAndNeighboursDoNot) {
  // 1025 to 1280 bytes are one class; a block of it must never serve 1281.
  void* small = allocate_block(1025);
  deallocate_block(small, 1025);
  void* larger = allocate_block(1281);
  EXPECT_NE(larger, small);
  void* same_class = allocate_block(1280);
  EXPECT_EQ(same_class, small);
  std::memset(same_class, 1, 1280);
  deallocate_block(larger, 1281);
  deallocate_block(same_class, 1280);
}

TEST_F(Allocator, ClassesWasteAtMostAQuarter) {
  for (std::size_t bytes = 1025; bytes < 200000; bytes += 137) {
    const std::uint64_t before = allocator_statistics().cached_bytes;
    deallocate_block(allocate_block(bytes), bytes);
    const std::uint64_t kept = allocator_statistics().cached_bytes - before;
    ASSERT_GE(kept, bytes);
    ASSERT_LE(kept, bytes + bytes / 4) << bytes;
    release_cached_blocks();
  }
}

TEST_F(Allocator, StatisticsCountRequestsAndHeapAllocations) {
  const AllocatorStatistics before = allocator_statistics();
  EXPECT_EQ(before.cached_bytes, 0U);
  void* block = allocate_block(100);
  AllocatorStatistics now = allocator_statistics();
  EXPECT_EQ(now.requests, before.requests + 1);
  EXPECT_EQ(now.heap_allocations, before.heap_allocations + 1);
  EXPECT_EQ(now.cached_bytes, 0U);
  deallocate_block(block, 100);
  EXPECT_EQ(allocator_statistics().cached_bytes, 128U);
  block = allocate_block(128);
  now = allocator_statistics();
  EXPECT_EQ(now.requests, before.requests + 2);
  EXPECT_EQ(now.heap_allocations, before.heap_allocations + 1);
  EXPECT_EQ(now.cached_bytes, 0U);
  deallocate_block(block, 128);
  release_cached_blocks();
  EXPECT_EQ(allocator_statistics().cached_bytes, 0U);
}

TEST_F(Allocator, ARepeatedPatternAsksTheHeapNothing) {
  const auto pattern = [] {
    std::vector<void*> blocks;
    for (const std::size_t bytes : interesting_sizes) blocks.push_back(allocate_block(bytes));
    std::size_t i = 0;
    for (const std::size_t bytes : interesting_sizes) deallocate_block(blocks[i++], bytes);
  };
  pattern();
  const std::uint64_t before = allocator_statistics().heap_allocations;
  for (int round = 0; round < 10; ++round) pattern();
  EXPECT_EQ(allocator_statistics().heap_allocations, before);
}

TEST_F(Allocator, ABlockMayBeFreedByAnotherThread) {
  void* block = allocate_block(5000);
  std::memset(block, 1, 5000);
  const std::uint64_t here = allocator_statistics().cached_bytes;
  std::uint64_t there = 0;
  bool reused = false;
  std::thread other([&] {
    deallocate_block(block, 5000);
    there = allocator_statistics().cached_bytes;
    void* again = allocate_block(5000);
    reused = again == block;
    deallocate_block(again, 5000);
  });
  other.join();
  EXPECT_GE(there, 5000U);
  EXPECT_TRUE(reused);
  EXPECT_EQ(allocator_statistics().cached_bytes, here);
}

TEST_F(Allocator, ABlockOfAThreadThatEndedStaysUsable) {
  void* block = nullptr;
  std::thread([&] { block = allocate_block(300); }).join();
  std::memset(block, 7, 300);
  deallocate_block(block, 300);
  EXPECT_EQ(allocator_statistics().cached_bytes, 320U);
}

TEST_F(Allocator, StatisticsBelongToTheThread) {
  const std::uint64_t before = allocator_statistics().requests;
  std::uint64_t there = ~std::uint64_t{0};
  std::thread([&] {
    there = allocator_statistics().requests;
    deallocate_block(allocate_block(64), 64);
  }).join();
  EXPECT_EQ(there, 0U);
  EXPECT_EQ(allocator_statistics().requests, before);
}

TEST_F(Allocator, FreeingNothingIsAllowed) {
  deallocate_block(nullptr, 64);
  EXPECT_EQ(allocator_statistics().cached_bytes, 0U);
}

TEST_F(Allocator, RefusesMoreThanAnyMachineHas) {
  const std::string message = error_of([] { allocate_block(std::size_t{1} << 60); });
  EXPECT_TRUE(contains(message, "allocator")) << message;
  EXPECT_TRUE(contains(message, "1.0 EiB")) << message;
  EXPECT_TRUE(contains(error_of([] { allocate_block(~std::size_t{0}); }), "allocator"));
}

TEST_F(Allocator, CountsTheBytesInUse) {
  const std::int64_t before = allocator_statistics().live_bytes;
  void* block = allocate_block(100);
  EXPECT_EQ(allocator_statistics().live_bytes, before + 128) << "rounded up to the size class";
  {
    const Tensor tensor = Tensor::empty({1000});
    EXPECT_GE(allocator_statistics().live_bytes, before + 128 + 4000);
  }
  EXPECT_EQ(allocator_statistics().live_bytes, before + 128);
  deallocate_block(block, 100);
  EXPECT_EQ(allocator_statistics().live_bytes, before);
}

}  // namespace
}  // namespace feral
