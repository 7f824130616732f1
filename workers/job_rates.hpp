// The learning rates of a job at a batch: by its number alone, by the losses that the evaluator has
// measured, or as somebody has set them.
#pragma once

#include <vector>

#include "optim/plateau.hpp"
#include "optim/schedules.hpp"
#include "workers/job_arena.hpp"

namespace feral {

class JobRates {
 public:
  JobRates(const Job& job, JobArena& arena);

  // Gives every group of the optimizer its rate for that batch.
  void apply(optim::Optimizer& optimizer, std::uint64_t item);

 private:
  void look_for_losses(std::uint64_t epoch);
  void steer(optim::Optimizer& optimizer) const;

  JobArena& arena_;
  optim::LRSchedule schedule_;
  bool follows_loss_;
  optim::ReduceLROnPlateau plateau_;
  std::vector<double> losses_;
  std::uint64_t next_ = 0;  // the first epoch whose loss is not known
  std::uint32_t seen_ = 0;  // of the event that the evaluator notifies
};

}  // namespace feral
