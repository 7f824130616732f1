// Keeps NaN and infinities out of the shared parameters: a step whose gradients have one is left out.
#pragma once

#include <cstdint>
#include <span>

#include "optim/optimizer.hpp"
#include "shm/slot_ring.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// Of one worker.
class NonfiniteGuard {
 public:
  // tensors[i] is the number in the model of the optimizer's parameter i; it must outlive this object.
  NonfiniteGuard(JobArena& arena, shm::Owner owner, std::span<const std::size_t> tensors);

  // Whether the gradients of that batch are all numbers. If not, the drop is counted; too many of them in a row are
  // trouble, which stops the job or asks for a rollback, as --on-nonfinite says.
  bool accepts(const optim::Optimizer& optimizer, std::uint64_t item);

 private:
  void count_drop(std::size_t tensor, std::uint64_t item);

  JobArena& arena_;
  WorkerMeters& own_;
  std::uint16_t worker_;
  std::span<const std::size_t> tensors_;
  std::uint64_t in_a_row_ = 0;
};

}  // namespace feral
