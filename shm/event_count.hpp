// Waiting and waking across processes.
//
// An event count is a futex word that every notification changes. It has no owner and holds no lock, so a process
// killed anywhere inside leaves at worst a wake-up undone; waits therefore always carry a timeout and recheck, and
// the launcher notifies every event when a child dies. (std::atomic::wait is private to a process: it never wakes
// another one.)
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/sizes.hpp"

namespace feral::shm {

// Lives in shared memory; all-zero bytes are a valid initial state.
//
//   const auto key = event.key();
//   if (!condition()) event.wait(key, spins, timeout);   // then look again
//
// Algorithm: the eventcount of Vyukov and of folly, over a process-shared futex.
struct alignas(control_line_bytes) EventCount {
  // Changed by notify() alone (sequentially consistent), read by waiters and by the kernel.
  std::atomic<std::uint32_t> sequence{0};
  // 1 while somebody may be asleep: set by waiters, cleared by whoever wakes them, both sequentially consistent
  // so that a notifier either sees the sleeper or the sleeper's futex call sees the new sequence. A flag rather
  // than a count: a waiter killed in its sleep costs one needless wake-up, never a missed one.
  std::atomic<std::uint32_t> sleepers{0};

  // The value to pass to wait(); take it before looking at the condition.
  std::uint32_t key() const noexcept { return sequence.load(std::memory_order_seq_cst); }

  // Wakes all waiters. Call it after the condition became true. No system call when nobody sleeps.
  void notify() noexcept;

  // Wakes all waiters, whatever `sleepers` says: a notifier killed between clearing the flag and waking left it
  // wrong. For the launcher after a death; always a system call.
  void notify_after_death() noexcept;

  // Returns after a notification since `key` was taken, or after `timeout`; may also return early. Looks `spins`
  // times before it sleeps.
  void wait(std::uint32_t key, int spins, std::chrono::milliseconds timeout) noexcept;
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(EventCount) == control_line_bytes);

}  // namespace feral::shm
