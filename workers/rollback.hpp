// Going back to parameters that were good: the part of it that lies in the arena.
//
// With --on-nonfinite rollback the evaluator keeps a ring of snapshots of the parameters and all optimizer states,
// which it takes while the workers go on (so a snapshot may hold a part of an update, as every look at live
// parameters may). Whoever finds that values have stopped being numbers asks for a rollback (`asked`), the
// evaluator carries it out
// (`done`). In between no worker writes: it waits at its door, before it reads parameters and before it writes
// them. The evaluator waits for those who are writing, but not for ever, as one of them may be dead. A gradient of
// parameters from before the rollback is thrown away.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "shm/arena.hpp"
#include "shm/slot_ring.hpp"

namespace feral {

struct JobBlock;
struct WorkerBlock;
struct WorkerMeters;
class JobArena;

// The region "rollback".
struct RollbackBlock {
  static constexpr std::size_t ring = 3;

  // How many rollbacks were asked for: done, or done + 1 while one is wanted. Changed by compare-and-swap of
  // anybody; sequentially consistent, as are WorkerMeters::writing and `done`: either the worker that begins to
  // write sees the request, or the evaluator sees that it writes.
  alignas(control_line_bytes) std::atomic<std::uint64_t> asked;
  // How many were carried out. Written by the evaluator alone; sequentially consistent.
  alignas(control_line_bytes) std::atomic<std::uint64_t> done;
  // The rest is written by the evaluator alone. Of the snapshot in each place: its number, counted from 1; 0 while
  // there is none, or while it is being written. Release by it; acquire by a replacement.
  std::atomic<std::uint64_t> numbers[ring];
  std::atomic<std::uint64_t> steps[ring];     // of all workers, when it was taken; relaxed
  std::atomic<std::uint64_t> taken;           // the largest number so far; relaxed
  std::atomic<std::uint64_t> restored_steps;  // `steps` of the latest rollback; for the launcher, relaxed
};

class Rollback {
 public:
  static void plan(shm::ArenaPlan& plan, const JobBlock& block, std::size_t state_bytes);
  // `state_bytes`: of all optimizer states. Throws feral::Error when the regions have other sizes.
  Rollback(const shm::Arena& arena, const JobBlock& block, std::size_t state_bytes);

  bool enabled() const noexcept { return !snapshots_.empty(); }
  RollbackBlock& block() noexcept { return *block_; }
  // What a place of the ring holds, each on a boundary of control_line_bytes.
  std::span<std::byte> parameters(std::size_t place) noexcept;
  std::span<std::byte> states(std::size_t place) noexcept;

  bool wanted() const noexcept { return block_->asked.load() != block_->done.load(); }
  std::uint64_t done() const noexcept { return block_->done.load(); }
  // Asks for the rollback after the first `seen` ones; nothing happens when somebody has.
  void ask(std::uint64_t seen) noexcept { block_->asked.compare_exchange_strong(seen, seen + 1); }

 private:
  RollbackBlock* block_;
  std::span<std::byte> snapshots_;
  std::size_t parameter_bytes_;
  std::size_t parameter_stride_;
  std::size_t state_bytes_;
};

// What a worker passes before it reads parameters and before it writes them. Costs nothing where rollbacks are off.
class RollbackDoor {
 public:
  RollbackDoor(JobArena& arena, shm::Owner owner);

  // Before the first reading of a step: waits while a rollback is under way.
  void read();
  // Before the first write: waits likewise; false when what was read is gone. After true, leave() comes last.
  bool enter();
  void leave() noexcept;
  // How many rollbacks had been when the parameters were read.
  std::uint64_t seen() const noexcept { return seen_; }

 private:
  void wait_while_wanted();

  JobArena& arena_;
  WorkerMeters& own_;
  WorkerBlock& worker_;
  bool enabled_;
  std::uint64_t seen_ = 0;
};

}  // namespace feral
