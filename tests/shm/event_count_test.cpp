#include "shm/event_count.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <chrono>
#include <cstddef>

#include "tests/support/forked.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral::shm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::Forked;
using support::Shared;
using Clock = std::chrono::steady_clock;

// Longer than any pause of a busy machine: a wait that lasts this long was never woken.
constexpr milliseconds never{20'000};

TEST(EventCount, AZeroedOneIsReady) {
  alignas(EventCount) std::byte memory[sizeof(EventCount)] = {};
  auto* event = reinterpret_cast<EventCount*>(memory);
  EXPECT_EQ(event->key(), 0U);
  event->notify();
  EXPECT_NE(event->key(), 0U);
}

TEST(EventCount, AWaitReturnsAfterItsTimeout) {
  EventCount event;
  const auto start = Clock::now();
  event.wait(event.key(), 10, milliseconds(50));
  EXPECT_GE(Clock::now() - start, milliseconds(49));
}

TEST(EventCount, ATimeoutMayBeLongerThanASecond) {
  EventCount event;
  const auto start = Clock::now();
  event.wait(event.key(), 0, milliseconds(1100));
  EXPECT_GE(Clock::now() - start, milliseconds(1099));
}

TEST(EventCount, ANotificationBeforeTheWaitIsNotMissed) {
  EventCount event;
  for (const int spins : {0, 100}) {
    const std::uint32_t key = event.key();
    event.notify();
    const auto start = Clock::now();
    event.wait(key, spins, never);
    EXPECT_LT(Clock::now() - start, seconds(10));
  }
}

TEST(EventCount, ANotificationWakesASleeperInAnotherProcess) {
  const Shared<EventCount> event;
  const Shared<std::atomic<int>> condition;
  Forked sleeper([&] {
    while (condition->load() == 0) {
      const std::uint32_t key = event->key();
      if (condition->load() == 0) event->wait(key, 0, never);
    }
    return 0;
  });
  ASSERT_TRUE(support::eventually([&] { return event->sleepers.load() != 0; }));
  ASSERT_TRUE(support::eventually([&] { return support::process_info(sleeper.pid()).state == 'S'; }));
  condition->store(1);
  event->notify();
  EXPECT_EQ(sleeper.wait(never / 2), 0);
}

TEST(EventCount, ANotificationWakesAllSleepers) {
  const Shared<EventCount> event;
  std::vector<Forked> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&, key = event->key()] {
      while (event->key() == key) event->wait(key, 0, never);
      return 0;
    });
  }
  for (const Forked& sleeper : sleepers) {
    ASSERT_TRUE(support::eventually([&] { return support::process_info(sleeper.pid()).state == 'S'; }));
  }
  event->notify();
  for (Forked& sleeper : sleepers) EXPECT_EQ(sleeper.wait(never / 2), 0);
}

TEST(EventCount, ASleeperThatWasKilledDoesNotKeepOthersFromBeingWoken) {
  const Shared<EventCount> event;
  const auto sleep_until_notified = [&, key = event->key()] {
    while (event->key() == key) event->wait(key, 0, never);
    return 0;
  };
  Forked victim(sleep_until_notified);
  Forked other(sleep_until_notified);
  for (const pid_t pid : {victim.pid(), other.pid()}) {
    ASSERT_TRUE(support::eventually([&] { return support::process_info(pid).state == 'S'; }));
  }
  victim.kill();
  event->notify();
  EXPECT_EQ(other.wait(never / 2), 0);
}

// Two processes take turns. Every hand-over needs its wake-up: one that is lost shows as a wait that ran into its
// timeout.
TEST(EventCount, NoWakeUpIsLostInAHundredThousandRounds) {
  constexpr std::uint32_t rounds = 100'000;
  struct Table {
    EventCount events[2];
    alignas(control_line_bytes) std::atomic<std::uint32_t> turn;
    std::atomic<std::uint32_t> timeouts;
  };
  const Shared<Table> table;
  const auto play = [&](std::uint32_t side) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::uint32_t mine = 2 * round + side;
      while (table->turn.load(std::memory_order_acquire) != mine) {
        const std::uint32_t key = table->events[side].key();
        if (table->turn.load(std::memory_order_acquire) == mine) break;
        const auto start = Clock::now();
        table->events[side].wait(key, static_cast<int>(round % 64), never);
        if (Clock::now() - start >= never) ++table->timeouts;
      }
      table->turn.store(mine + 1, std::memory_order_release);
      table->events[1 - side].notify();
    }
    return 0;
  };
  Forked other([&] { return play(1); });
  play(0);
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(table->turn.load(), 2 * rounds);
  EXPECT_EQ(table->timeouts.load(), 0U);
}

#ifdef FERAL_TEST_CAN_STEP
// A notifier is stopped after each of its instructions in turn, and a waiter, which begins then, after every fourth
// of its own and right before its sleep. Whatever the first notifier does afterwards, the next one must wake the
// waiter.
TEST(EventCount, AWaiterIsWokenWhereverANotifierAndItWereStopped) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  const Shared<EventCount> event;
  const Shared<std::atomic<int>> condition;
  int pairs = 0;
  for (int notifier_steps = 0; notifier_steps < 200; ++notifier_steps) {
    bool notifier_ended = false;
    for (int waiter_steps = 0; waiter_steps < 200; waiter_steps += 4) {
      new (&*event) EventCount{};
      event->sleepers.store(1);  // an earlier sleeper's: the notifier takes its longer path
      condition->store(0);
      support::Stepped notifier([&] {
        event->notify();
        return 0;
      });
      for (int i = 0; i < notifier_steps && !notifier_ended; ++i) notifier_ended = !notifier.step();
      support::Stepped waiter([&] {
        while (condition->load() == 0) {
          const std::uint32_t key = event->key();
          if (condition->load() == 0) event->wait(key, 0, never);
        }
        return 0;
      });
      bool waiter_before_sleep = false;
      for (int i = 0; i < waiter_steps && !waiter_before_sleep; ++i) waiter_before_sleep = !waiter.step();
      notifier.release();
      ASSERT_EQ(notifier.wait(), 0);
      waiter.release();
      ASSERT_TRUE(support::eventually([&] { return waiter.ended_or_asleep(); }));
      condition->store(1);
      event->notify();
      ASSERT_EQ(waiter.wait(never / 4), 0)
          << "notifier stopped after " << notifier_steps << " instructions, waiter after " << waiter_steps;
      ++pairs;
      if (waiter_before_sleep) break;
    }
    if (notifier_ended) break;
  }
  EXPECT_GT(pairs, 100) << "the processes were not stepped";
}
#endif

TEST(EventCount, AfterADeathEvenASleeperWhoseFlagWasClearedWakes) {
  support::SharedMemory memory(sizeof(EventCount));
  auto& event = *new (memory.bytes().data()) EventCount;
  const Forked sleeper([&] {
    const auto start = std::chrono::steady_clock::now();
    event.wait(event.key(), 0, std::chrono::seconds(30));
    return std::chrono::steady_clock::now() - start < std::chrono::seconds(20) ? 0 : 1;
  });
  // What a notifier leaves that was killed between clearing the flag and waking: the sleeper's flag is gone.
  ASSERT_TRUE(support::eventually([&] { return event.sleepers.exchange(0) == 1; }));
  EXPECT_TRUE(support::eventually([&] {
    event.notify_after_death();
    return sleeper.ended();
  }));
}

// Makes the futex call deadly for this process.
bool forbid_futex() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(EventCount, NotifyingMakesNoSystemCallWhenNobodySleeps) {
  constexpr int not_possible = 77;
  const auto notify_without_futex = [](std::uint32_t sleepers) {
    return Forked([=] {
             EventCount event;
             event.sleepers.store(sleepers);
             if (!forbid_futex()) return not_possible;
             for (int i = 0; i < 1000; ++i) event.notify();
             return 0;
           })
        .wait();
  };
  const int nobody = notify_without_futex(0);
  if (nobody == not_possible) GTEST_SKIP() << "seccomp filters are not allowed here";
  EXPECT_EQ(nobody, 0);
  EXPECT_EQ(notify_without_futex(1), -1) << "with a sleeper there is a system call, which the filter punishes";
}

}  // namespace
}  // namespace feral::shm
