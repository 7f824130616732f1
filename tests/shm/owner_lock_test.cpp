#include "shm/owner_lock.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/forked.hpp"
#include "tests/support/shared_memory.hpp"

namespace feral::shm {
namespace {

using namespace std::chrono_literals;

constexpr Owner first{.index = 0, .generation = 0};
constexpr Owner second{.index = 1, .generation = 0};

TEST(OwnerLock, IsHeldByOneAtATime) {
  const auto lock = std::make_unique<OwnerLock>();
  EXPECT_TRUE(lock->try_lock(first));
  EXPECT_FALSE(lock->try_lock(second));
  EXPECT_FALSE(lock->try_lock(first)) << "not recursive";
  lock->unlock(first);
  EXPECT_TRUE(lock->try_lock(second));
  lock->unlock(second);
}

TEST(OwnerLock, IsFreedForItsDeadHolderAlone) {
  const auto lock = std::make_unique<OwnerLock>();
  ASSERT_TRUE(lock->try_lock({.index = 3, .generation = 7}));
  EXPECT_FALSE(lock->release_dead({.index = 3, .generation = 6})) << "a predecessor";
  EXPECT_FALSE(lock->release_dead({.index = 7, .generation = 3}));
  EXPECT_FALSE(lock->try_lock(first));
  EXPECT_TRUE(lock->release_dead({.index = 3, .generation = 7}));
  EXPECT_TRUE(lock->try_lock(first));
  EXPECT_FALSE(lock->release_dead({.index = 3, .generation = 7}));
  lock->unlock(first);
}

TEST(OwnerLock, GuardsWhatIsWrittenUnderIt) {
  constexpr int rounds = 20'000;
  const auto lock = std::make_unique<OwnerLock>();
  std::uint64_t sum = 0;  // no atomic: the lock is what orders it
  const auto add = [&](Owner owner) {
    for (int i = 0; i < rounds; ++i) {
      lock->lock(owner, 100ms);
      ++sum;
      lock->unlock(owner);
    }
  };
  std::thread other(add, second);
  add(first);
  other.join();
  EXPECT_EQ(sum, 2U * rounds);
}

TEST(OwnerLock, OutlivesAHolderThatIsKilledWhileOthersWait) {
  const support::Shared<OwnerLock> lock;
  const support::Shared<std::atomic<int>> stage;
  support::Forked holder([&] {
    lock->lock(first, 100ms);
    stage->store(1);
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(support::eventually([&] { return stage->load() == 1; }));
  support::Forked waiter([&] {
    lock->lock(second, 60'000ms);  // woken, not timed out
    lock->unlock(second);
    return 0;
  });
  EXPECT_FALSE(waiter.ended(50ms)) << "it is held";
  holder.kill();
  EXPECT_FALSE(waiter.ended(50ms)) << "nobody but the launcher knows that the holder is dead";
  EXPECT_TRUE(lock->release_dead(first));
  EXPECT_EQ(waiter.wait(), 0);
}

}  // namespace
}  // namespace feral::shm
