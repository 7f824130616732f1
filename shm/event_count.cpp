#include "shm/event_count.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace feral::shm {
namespace {

// Shared futexes (no FUTEX_PRIVATE_FLAG): the key is the page of the memfd, the same in every process.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec& timeout) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

void futex_wake_all(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void EventCount::notify() noexcept {
  sequence.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) != 0 && sleepers.exchange(0, std::memory_order_seq_cst) != 0) {
    // A waiter that came after the increment above may have had its flag cleared just now, before it sleeps: its
    // key must no longer fit, or nobody would know of its sleep.
    sequence.fetch_add(1, std::memory_order_seq_cst);
    futex_wake_all(sequence);
  }
}

void EventCount::notify_after_death() noexcept {
  // The flag first: one that is set from here on belongs to a sleeper that the wake-up below reaches, or whose key
  // no longer fits, or that comes later and keeps it.
  sleepers.store(0, std::memory_order_seq_cst);
  sequence.fetch_add(1, std::memory_order_seq_cst);
  futex_wake_all(sequence);
}

void EventCount::wait(std::uint32_t key, int spins, std::chrono::milliseconds timeout) noexcept {
  for (int i = 0; i < spins; ++i) {
    if (sequence.load(std::memory_order_acquire) != key) return;
    pause();
  }
  sleepers.store(1, std::memory_order_seq_cst);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timespec limit{.tv_sec = static_cast<time_t>(seconds.count()),
                       .tv_nsec = static_cast<long>((timeout - seconds).count()) * 1'000'000};
  futex_wait(sequence, key, limit);
}

}  // namespace feral::shm
