#include "workers/quiesce.hpp"

#include <atomic>

namespace feral {
namespace {

std::uint64_t nanoseconds(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

bool is_paused(JobArena& arena) noexcept {
  const std::uint64_t until = arena.checkpoint().pause_until_ns.load(std::memory_order_seq_cst);
  return until != 0 && monotonic_ns() < until;
}

}  // namespace

bool may_begin_batch(JobArena& arena) noexcept { return !is_paused(arena); }

void wait_out_pause(JobArena& arena) noexcept {
  ControlBlock& control = arena.control();
  bool told = false;
  for (;;) {
    const std::uint32_t key = control.changed.key();
    if (!is_paused(arena) || control.stop.load(std::memory_order_relaxed) != StopReason::none) return;
    if (!told) control.changed.notify();  // the evaluator may be waiting for this worker
    told = true;
    // The notification above has changed the key: look again once before sleeping.
    if (key == control.changed.key()) control.changed.wait(key, 0, longest_wait);
  }
}

Quiesce::Quiesce(JobArena& arena, std::chrono::milliseconds patience, std::chrono::milliseconds hold) noexcept
    : arena_(arena), until_ns_(monotonic_ns() + nanoseconds(patience) + nanoseconds(hold)) {
  constexpr std::chrono::milliseconds look_again{1};  // workers that leave do not tell
  const std::uint64_t give_up = monotonic_ns() + nanoseconds(patience);
  arena.checkpoint().pause_until_ns.store(until_ns_, std::memory_order_seq_cst);
  for (;;) {
    const std::uint32_t key = arena.control().changed.key();
    reached_ = !arena.ring().any(shm::SlotPhase::busy);
    if (reached_ || monotonic_ns() >= give_up) return;
    arena.control().changed.wait(key, arena.job().spins, look_again);
  }
}

Quiesce::~Quiesce() {
  arena_.checkpoint().pause_until_ns.store(0, std::memory_order_seq_cst);
  arena_.notify_all();
}

bool Quiesce::holds() noexcept {
  // A read-modify-write, so that what was read before, was read before the look at the clock.
  arena_.checkpoint().pause_until_ns.exchange(until_ns_, std::memory_order_seq_cst);
  return reached_ && monotonic_ns() < until_ns_;
}

}  // namespace feral
