#include "workers/rollback.hpp"

#include "core/fail.hpp"
#include "workers/job_arena.hpp"

namespace feral {
namespace {

std::size_t snapshot_bytes(const JobBlock& block, std::size_t state_bytes) {
  if (block.on_nonfinite != OnNonfinite::rollback) return 0;
  return checked_add(align_up(block.parameter_bytes, control_line_bytes), state_bytes);
}

}  // namespace

void Rollback::plan(shm::ArenaPlan& plan, const JobBlock& block, std::size_t state_bytes) {
  plan.add("rollback", sizeof(RollbackBlock));
  plan.add("snapshots", checked_multiply(RollbackBlock::ring, snapshot_bytes(block, state_bytes)));
}

Rollback::Rollback(const shm::Arena& arena, const JobBlock& block, std::size_t state_bytes)
    : block_(&arena.object<RollbackBlock>("rollback")),
      snapshots_(arena.region("snapshots")),
      parameter_bytes_(block.parameter_bytes),
      parameter_stride_(align_up(block.parameter_bytes, control_line_bytes)),
      state_bytes_(state_bytes) {
  if (snapshots_.size() != RollbackBlock::ring * snapshot_bytes(block, state_bytes)) {
    fail("arena: region 'snapshots' has {} bytes", snapshots_.size());
  }
}

std::span<std::byte> Rollback::parameters(std::size_t place) noexcept {
  return snapshots_.subspan(place * (parameter_stride_ + state_bytes_), parameter_bytes_);
}

std::span<std::byte> Rollback::states(std::size_t place) noexcept {
  return snapshots_.subspan(place * (parameter_stride_ + state_bytes_) + parameter_stride_, state_bytes_);
}

RollbackDoor::RollbackDoor(JobArena& arena, shm::Owner owner)
    : arena_(arena),
      own_(arena.meters().workers()[owner.index]),
      worker_(arena.workers()[owner.index]),
      enabled_(arena.rollback().enabled()) {
  own_.writing.store(0);  // the predecessor may have died while it wrote
}

void RollbackDoor::wait_while_wanted() {
  shm::EventCount& changed = arena_.control().changed;
  const bool waits = arena_.rollback().wanted();
  if (waits) worker_.heartbeat.wait();
  while (arena_.rollback().wanted() && !arena_.stopping()) {
    const std::uint32_t key = changed.key();
    if (arena_.rollback().wanted()) changed.wait(key, 0, longest_wait);
  }
  if (waits) worker_.heartbeat.waiting.store(0, std::memory_order_relaxed);
}

void RollbackDoor::read() {
  if (!enabled_) return;
  wait_while_wanted();
  seen_ = arena_.rollback().done();
}

bool RollbackDoor::enter() {
  if (!enabled_) return true;
  for (;;) {
    own_.writing.store(1);
    if (!arena_.rollback().wanted()) break;
    own_.writing.store(0);
    wait_while_wanted();
    if (arena_.stopping()) return false;
  }
  if (arena_.rollback().done() == seen_) return true;
  own_.writing.store(0);
  own_.dropped_rollback.store(own_.dropped_rollback.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return false;
}

void RollbackDoor::leave() noexcept {
  if (enabled_) own_.writing.store(0);
}

}  // namespace feral
