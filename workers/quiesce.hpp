// A pause of all workers between two batches, for whoever wants to see the parameters at one moment.
//
// The evaluator names a moment until which no worker may begin a batch, and then waits until no slot of the ring is
// in a worker's hands. A worker looks at the pause before it takes a batch, and once more after: it either sees the
// pause then and puts the batch back as it was, or had taken it before the pause began, and the evaluator sees its
// slot (a store, then a load on each side, all four sequentially consistent: at least one load sees the other's
// store).
//
// Whoever dies: a dead worker's slot is given back by the launcher, as always; the evaluator's pause ends by
// itself. A worker that is stuck within a batch costs the evaluator its patience, and nobody else.
#pragma once

#include <chrono>
#include <cstdint>

#include "workers/job_arena.hpp"

namespace feral {

// Worker: whether a batch may be begun.
bool may_begin_batch(JobArena& arena) noexcept;
// Worker, without a batch: returns once the pause is over, or a stop was asked for.
void wait_out_pause(JobArena& arena) noexcept;

// Evaluator: the pause, as long as this object lives.
class Quiesce {
 public:
  // Waits until no worker is within a batch, `patience` at most. Workers go on `hold` after that, whatever happens.
  Quiesce(JobArena& arena, std::chrono::milliseconds patience, std::chrono::milliseconds hold) noexcept;
  ~Quiesce();
  Quiesce(const Quiesce&) = delete;
  Quiesce& operator=(const Quiesce&) = delete;

  // Whether no worker was within a batch from the constructor's end until now.
  bool holds() noexcept;

 private:
  JobArena& arena_;
  std::uint64_t until_ns_;
  bool reached_ = false;
};

}  // namespace feral
