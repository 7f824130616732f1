#include "shm/slot_ring.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>

#include "tests/support/messages.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral::shm {
namespace {

using support::error_of;
using support::has;
using support::SharedMemory;

constexpr Owner loader{0, 0};
constexpr Owner worker{0, 0};

// A ring in memory of its own.
struct Ring {
  Ring(std::uint32_t slots, std::uint64_t items)
      : memory(SlotRing::size_bytes(slots)), ring(SlotRing::create(memory.bytes(), slots, items)) {}
  SlotRing* operator->() { return &ring; }

  // One item from claim to ready; the item's number.
  std::uint64_t load() {
    const auto claim = ring.try_claim(loader);
    EXPECT_TRUE(claim);
    ring.publish(*claim);
    return claim->item;
  }
  // One item from ready to done.
  std::uint64_t work() {
    const auto claim = ring.try_take(worker);
    EXPECT_TRUE(claim);
    ring.finish(*claim);
    return claim->item;
  }

  SharedMemory memory;
  SlotRing ring;
};

TEST(SlotRing, BeginsWhereItIsTold) {
  Ring ring(3, 10);
  ring->start_at(std::vector<std::uint32_t>{2, 1, 1});
  EXPECT_EQ(ring->done_count(), 4U);
  EXPECT_EQ(ring->low_water(), 4U);
  EXPECT_EQ(ring.load(), 4U);
  EXPECT_EQ(ring.load(), 5U);
  EXPECT_EQ(ring.load(), 6U);
  EXPECT_EQ(ring.work(), 4U);
  EXPECT_TRUE(has(error_of([&] { ring->start_at(std::vector<std::uint32_t>{1}); }), {"1 turns for 3 slots"}));
  EXPECT_TRUE(has(error_of([&] {
                    ring->start_at(std::vector<std::uint32_t>{4, 4, 3});
                  }),
                  {"turn 4 of slot 1 lies beyond the last of 10 batches"}));
  Ring whole(3, 10);
  whole->start_at(std::vector<std::uint32_t>{4, 3, 3});
  EXPECT_TRUE(whole->all_done());
  EXPECT_FALSE(whole->try_claim(loader));
}

TEST(SlotRing, ABatchThatIsPutBackIsReadyAsItWas) {
  Ring ring(2, 10);
  ring.load();
  EXPECT_FALSE(ring->any(SlotPhase::busy));
  const auto claim = ring->try_take(worker);
  ASSERT_TRUE(claim);
  EXPECT_TRUE(ring->any(SlotPhase::busy));
  ring->put_back(*claim);
  EXPECT_FALSE(ring->any(SlotPhase::busy));
  EXPECT_EQ(ring->phase(0), SlotPhase::ready);
  EXPECT_EQ(ring->done_count(), 0U);
  EXPECT_EQ(ring.work(), 0U);
}

TEST(SlotRing, ASlotGoesThroughItsPhases) {
  Ring ring(2, 10);
  EXPECT_EQ(ring->phase(0), SlotPhase::free);
  const auto claimed = ring->try_claim(loader);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->item, 0U);
  EXPECT_EQ(ring->phase(claimed->slot), SlotPhase::filling);
  EXPECT_FALSE(ring->try_take(worker)) << "nothing is ready yet";
  ring->publish(*claimed);
  EXPECT_EQ(ring->phase(claimed->slot), SlotPhase::ready);
  const auto taken = ring->try_take(worker);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->item, 0U);
  EXPECT_EQ(ring->phase(taken->slot), SlotPhase::busy);
  EXPECT_FALSE(ring->try_take(worker));
  EXPECT_EQ(ring->done_count(), 0U);
  ring->finish(*taken);
  EXPECT_EQ(ring->phase(taken->slot), SlotPhase::free);
  EXPECT_EQ(ring->turn(taken->slot), 1U);
  EXPECT_EQ(ring->done_count(), 1U);
}

TEST(SlotRing, ItemsComeInOrder) {
  Ring ring(3, 100);
  std::uint64_t loaded = 0;
  for (std::uint64_t item = 0; item < 100; ++item) {
    while (loaded < 100 && loaded < item + 3) EXPECT_EQ(ring.load(), loaded++);
    EXPECT_EQ(ring.work(), item);
  }
  EXPECT_TRUE(ring->all_done());
}

TEST(SlotRing, AnItemThatCameBackIsTakenBeforeLaterOnes) {
  Ring ring(4, 100);
  for (int i = 0; i < 4; ++i) ring.load();
  ASSERT_EQ(ring->try_take({7, 0})->item, 0U);
  EXPECT_EQ(ring.work(), 1U);
  EXPECT_EQ(ring->reclaim_worker({7, 0}), std::vector<std::uint64_t>{0});
  EXPECT_EQ(ring.work(), 0U);
  EXPECT_EQ(ring.work(), 2U);
}

TEST(SlotRing, AnItemIsTakenByItsNumber) {
  Ring ring(3, 100);
  EXPECT_FALSE(ring->try_take_item(worker, 1)) << "it is not ready";
  for (int i = 0; i < 3; ++i) ring.load();
  EXPECT_FALSE(ring->try_take_item(worker, 4)) << "its slot is at item 1";
  const auto claim = ring->try_take_item({7, 0}, 1);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->item, 1U);
  EXPECT_FALSE(ring->try_take_item(worker, 1)) << "it is taken";
  EXPECT_FALSE(ring->is_done(1));
  EXPECT_EQ(ring->reclaim_worker({7, 0}), std::vector<std::uint64_t>{1});
  const auto again = ring->try_take_item(worker, 1);
  ASSERT_TRUE(again);
  ring->finish(*again);
  EXPECT_TRUE(ring->is_done(1));
  EXPECT_FALSE(ring->is_done(0));
  EXPECT_FALSE(ring->is_done(4));
  EXPECT_FALSE(ring->try_take_item(worker, 1)) << "it is done";
}

TEST(SlotRing, NotificationsFollowThePhases) {
  Ring ring(2, 10);
  const std::uint32_t ready = ring->ready_event().key();
  const std::uint32_t free = ring->free_event().key();
  const auto claim = ring->try_claim(loader);
  EXPECT_EQ(ring->ready_event().key(), ready);
  ring->publish(*claim);
  EXPECT_NE(ring->ready_event().key(), ready);
  const auto taken = ring->try_take(worker);
  EXPECT_EQ(ring->free_event().key(), free);
  ring->finish(*taken);
  EXPECT_NE(ring->free_event().key(), free);
}

TEST(SlotRing, WhatADeadLoaderHeldIsFreeAgain) {
  Ring ring(4, 100);
  ring.load();
  ASSERT_EQ(ring->try_claim({1, 0})->item, 1U);
  ASSERT_EQ(ring->try_claim({2, 0})->item, 2U);
  ASSERT_EQ(ring->try_claim({1, 0})->item, 3U);
  EXPECT_FALSE(ring->try_claim({3, 0}));
  EXPECT_EQ(ring->reclaim_loader({1, 0}), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(ring->phase(0), SlotPhase::ready) << "what was handed over is no longer its own";
  EXPECT_EQ(ring->phase(2), SlotPhase::filling) << "another loader's";
  EXPECT_EQ(ring->try_claim({1, 1})->item, 1U);
  EXPECT_EQ(ring->try_claim({1, 1})->item, 3U);
}

TEST(SlotRing, WhatADeadWorkerHeldIsReadyAgain) {
  Ring ring(4, 100);
  for (int i = 0; i < 4; ++i) ring.load();
  ASSERT_EQ(ring->try_take({1, 3})->item, 0U);
  ASSERT_EQ(ring->try_take({2, 3})->item, 1U);
  EXPECT_EQ(ring->reclaim_worker({1, 3}), std::vector<std::uint64_t>{0});
  EXPECT_EQ(ring->phase(0), SlotPhase::ready);
  EXPECT_EQ(ring->phase(1), SlotPhase::busy);
  EXPECT_EQ(ring->done_count(), 0U);
}

TEST(SlotRing, OnlyTheSameIndexGenerationAndRoleIsReclaimed) {
  Ring ring(4, 100);
  ring.load();
  ASSERT_TRUE(ring->try_take({5, 2}));
  ASSERT_TRUE(ring->try_claim({5, 2}));
  for (const Owner other : {Owner{5, 1}, Owner{5, 3}, Owner{4, 2}, Owner{0, 2}, Owner{5, 0}}) {
    EXPECT_TRUE(ring->reclaim_worker(other).empty());
    EXPECT_TRUE(ring->reclaim_loader(other).empty());
  }
  EXPECT_EQ(ring->reclaim_worker({5, 2}), std::vector<std::uint64_t>{0})
      << "not the slot of the loader of that index";
  EXPECT_EQ(ring->reclaim_loader({5, 2}), std::vector<std::uint64_t>{1});
}

TEST(SlotRing, OwnersKeepTheirNumbersUpToTheLimits) {
  Ring ring(1, 10);
  const Owner largest{static_cast<std::uint16_t>(SlotRing::max_owners - 1), 0xffff};
  ASSERT_TRUE(ring->try_claim(largest));
  EXPECT_TRUE(ring->reclaim_loader({largest.index, 0xfffe}).empty());
  EXPECT_TRUE(ring->reclaim_loader({static_cast<std::uint16_t>(largest.index - 1), 0xffff}).empty());
  EXPECT_EQ(ring->reclaim_loader(largest), std::vector<std::uint64_t>{0});
}

TEST(SlotRingDeathTest, AnOwnerWhoseSlotWasTakenAwayMayNotEndItsClaim) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Ring ring(1, 10);
  const auto claim = ring->try_claim(loader);
  ring->reclaim_loader(loader);
  EXPECT_EXIT(ring->publish(*claim), testing::KilledBySignal(SIGABRT), "internal error");
  ring.load();
  const auto taken = ring->try_take(worker);
  ring->reclaim_worker(worker);
  EXPECT_EXIT(ring->finish(*taken), testing::KilledBySignal(SIGABRT), "internal error");
}

TEST(SlotRing, TheEndOfTheItemsIsExactForAllCounts) {
  for (std::uint32_t slots = 1; slots <= 7; ++slots) {
    for (std::uint64_t items = 0; items <= 3 * slots + 1; ++items) {
      Ring ring(slots, items);
      std::uint64_t done = 0;
      while (const auto claim = ring->try_claim(loader)) {
        ASSERT_EQ(claim->item, done);
        ASSERT_FALSE(ring->all_done());
        ring->publish(*claim);
        ASSERT_EQ(ring.work(), done);
        ++done;
        ASSERT_EQ(ring->done_count(), done);
        ASSERT_EQ(ring->low_water(), done);
      }
      EXPECT_EQ(done, items) << slots << " slots";
      EXPECT_TRUE(ring->all_done());
      EXPECT_FALSE(ring->try_take(worker));
    }
  }
}

TEST(SlotRing, LowWaterStaysBelowTheOldestUnfinishedItem) {
  Ring ring(3, 30);
  for (int i = 0; i < 3; ++i) ring.load();
  const auto stuck = ring->try_take({1, 0});
  ASSERT_EQ(stuck->item, 0U);
  ring.work();
  ring.work();
  EXPECT_EQ(ring->low_water(), 0U);
  EXPECT_EQ(ring->done_count(), 2U);
  ring.load();  // item 4: the other slots go on
  ring.load();
  ring.work();
  EXPECT_EQ(ring->low_water(), 0U);
  ring->finish(*stuck);
  EXPECT_EQ(ring->low_water(), 3U);
}

TEST(SlotRing, RandomStepsAndDeathsLoseNothing) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto slots = static_cast<std::uint32_t>(1 + random() % 6);
    const std::uint64_t items = random() % 40;
    Ring ring(slots, items);
    std::vector<int> handled(items, 0);
    std::deque<std::pair<Owner, SlotClaim>> filling;
    std::deque<std::pair<Owner, SlotClaim>> busy;
    std::uint16_t generation = 0;
    const auto drop = [](auto& held, Owner owner) {
      std::erase_if(held, [&](auto& h) { return h.first == owner; });
    };
    while (!ring->all_done()) {
      const Owner who{static_cast<std::uint16_t>(random() % 2), generation};
      switch (random() % 6) {
        case 0:
          if (const auto claim = ring->try_claim(who)) filling.emplace_back(who, *claim);
          break;
        case 1:
          if (const auto claim = ring->try_take(who)) busy.emplace_back(who, *claim);
          break;
        case 2:
        case 3:
          if (!filling.empty()) {
            ring->publish(filling.front().second);
            filling.pop_front();
          }
          break;
        case 4:
          if (!busy.empty()) {
            ++handled[busy.back().second.item];
            ring->finish(busy.back().second);
            busy.pop_back();
          }
          break;
        default:
          if (random() % 4 == 0) {
            for (std::uint16_t index = 0; index < 2; ++index) {
              const Owner dead{index, generation};
              ring->reclaim_loader(dead);
              ring->reclaim_worker(dead);
              drop(filling, dead);
              drop(busy, dead);
            }
            ++generation;
          }
      }
    }
    EXPECT_EQ(handled, std::vector<int>(items, 1)) << "round " << round;
  }
}

TEST(SlotRing, SizesThatMakeNoSenseAreRefused) {
  SharedMemory memory(SlotRing::size_bytes(2));
  EXPECT_TRUE(has(error_of([&] { SlotRing::create(memory.bytes(), 0, 1); }), {"0 slots", "1 to 4096"}));
  EXPECT_TRUE(has(error_of([&] { SlotRing::create(memory.bytes(), 4097, 1); }), {"4097 slots"}));
  EXPECT_TRUE(has(error_of([&] { SlotRing::create(memory.bytes(), 3, 1); }), {"bytes for 3 slots"}));
  EXPECT_TRUE(has(error_of([&] { SlotRing::create(memory.bytes(), 2, 0xffff'ffffULL * 2); }), {"too many"}));
}

TEST(SlotRing, MemoryThatHoldsNoRingIsRefused) {
  constexpr std::size_t item_count_at = 8;
  constexpr std::size_t slot_count_at = 16;
  Ring ring(4, 100);
  const std::span<std::byte> memory = ring.memory.bytes();
  EXPECT_EQ(SlotRing::attach(memory).slot_count(), 4U);
  EXPECT_EQ(SlotRing::attach(memory).item_count(), 100U);
  EXPECT_TRUE(has(error_of([&] { SlotRing::attach(memory.first(16)); }), {"too few"}));
  EXPECT_TRUE(has(error_of([&] { SlotRing::attach(memory.first(memory.size() - 1)); }), {"corrupt"}));
  const auto refused_with = [&](std::size_t at, std::uint64_t value, std::size_t bytes) {
    std::byte good[8];
    std::memcpy(good, memory.data() + at, bytes);
    std::memcpy(memory.data() + at, &value, bytes);
    const std::string message = error_of([&] { SlotRing::attach(memory); });
    std::memcpy(memory.data() + at, good, bytes);
    return has(message, {"corrupt header"});
  };
  EXPECT_TRUE(refused_with(0, 0, 8));
  EXPECT_TRUE(refused_with(0, 1, 8));
  for (const std::uint64_t slots : {0U, 3U, 5U, 4097U, 0xffff'ffffU})
    EXPECT_TRUE(refused_with(slot_count_at, slots, 4));
  EXPECT_TRUE(refused_with(item_count_at, 4 * 0xffff'ffffULL, 8)) << "turns would wrap around";
  EXPECT_EQ(error_of([&] { SlotRing::attach(memory); }), "");
}

#ifdef FERAL_TEST_CAN_STEP
// A process that does the whole round of one item is killed after each of its instructions in turn. What it held is
// given back, and every item is done exactly once but for the one it may have finished unseen.
TEST(SlotRing, AProcessKilledAtAnyInstructionLosesNothing) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  constexpr std::uint64_t items = 5;
  constexpr Owner victim{3, 0};
  const support::Shared<std::atomic<bool>> round_over;
  int kills = 0;
  for (; !round_over->load(); ++kills) {
    Ring ring(2, items);
    support::Stepped process([&] {
      const auto filled = ring->try_claim(victim);
      ring->publish(*filled);
      const auto taken = ring->try_take(victim);
      ring->finish(*taken);
      round_over->store(true);
      return 0;
    });
    for (int i = 0; i < kills; ++i) ASSERT_TRUE(process.step_anything());
    process.kill();
    const std::uint64_t by_victim = ring->done_count();
    ASSERT_LE(by_victim, 1U);
    const std::size_t back = ring->reclaim_loader(victim).size() + ring->reclaim_worker(victim).size();
    ASSERT_LE(back, 1U);
    std::uint64_t done = 0;
    while (!ring->all_done()) {
      if (const auto claim = ring->try_claim(loader)) ring->publish(*claim);
      const auto taken = ring->try_take(worker);
      ASSERT_TRUE(taken) << "killed after " << kills << " instructions: an item is held by nobody alive";
      ring->finish(*taken);
      ++done;
    }
    ASSERT_EQ(done + by_victim, items) << "killed after " << kills << " instructions";
  }
  EXPECT_GT(kills, 100) << "the process was not stepped";
}
#endif

}  // namespace
}  // namespace feral::shm
