// How much memory a job's processes need for themselves, beside the arena.
#pragma once

#include <cstdint>

#include "launcher/cores.hpp"
#include "workers/job_arena.hpp"

namespace feral {

// Estimates, of one process each.
struct MemoryPlan {
  std::uint64_t worker_bytes = 0;  // gradients and activations, under some policies two copies of the parameters
  std::uint64_t loader_bytes = 0;  // about what the evaluator held after building the data
  std::uint64_t checkpoint_bytes = 0;  // the copy that the evaluator writes checkpoints from

  std::uint64_t of(const ProcessCounts& counts) const noexcept {
    return static_cast<std::uint64_t>(counts.workers) * worker_bytes +
           static_cast<std::uint64_t>(counts.loaders) * loader_bytes;
  }
  std::uint64_t whole(const ProcessCounts& counts) const noexcept { return of(counts) + checkpoint_bytes; }
};

MemoryPlan memory_plan(const TrainOptions& options, const JobDescription& description,
                       const data::BatchLayout& layout);

// Throws feral::Error, with the numbers, when that many more processes do not fit into what is free now.
void check_room_for(const ProcessCounts& more, const MemoryPlan& plan);

}  // namespace feral
