#include "workers/job_rates.hpp"

#include "workers/job_functions.hpp"

namespace feral {

JobRates::JobRates(const Job& job, JobArena& arena)
    : arena_(arena),
      schedule_(build_schedule(
          job, arena.job().schedule,
          {.steps = arena.ring().item_count(), .steps_per_epoch = arena.job().plan.batches_per_epoch()})),
      follows_loss_(!job.schedule && arena.job().schedule.schedule == optim::Schedule::plateau),
      plateau_{.factor = optim::gamma_of(arena.job().schedule),
               .patience = arena.job().schedule.period == 0
                               ? std::int64_t{3}
                               : static_cast<std::int64_t>(arena.job().schedule.period)} {
  if (follows_loss_) losses_.reserve(arena.job().epochs);
}

void JobRates::apply(optim::Optimizer& optimizer, std::uint64_t item) {
  schedule_.apply(optimizer, item);
  if (follows_loss_) {
    look_for_losses(arena_.job().plan.epoch_of(item));
    for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
      optimizer.set_lr(group, plateau_.lr(optimizer.lr(group), losses_));
    }
  }
  steer(optimizer);
}

// A rate that somebody set while the job runs.
void JobRates::steer(optim::Optimizer& optimizer) const {
  const double lr = arena_.steering().lr.load(std::memory_order_relaxed);
  if (lr == 0) return;
  if (optimizer.initial_lr() > 0) {
    optimizer.set_lr_factor(lr / optimizer.initial_lr());
  } else {
    optimizer.set_lr(lr);
  }
}

// Epochs are measured in their order; some never are, where training outruns evaluation.
void JobRates::look_for_losses(std::uint64_t epoch) {
  const std::uint32_t key = arena_.control().changed.key();
  if (key == seen_) return;
  seen_ = key;
  for (std::uint64_t e = next_; e < epoch; ++e) {
    const Evaluation& evaluation = arena_.evaluations()[e];
    if (evaluation.done.load(std::memory_order_acquire) == 0) continue;
    losses_.push_back(evaluation.loss);
    next_ = e + 1;
  }
}

}  // namespace feral
