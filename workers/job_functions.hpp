// A job's functions with their defaults filled in.
#pragma once

#include <memory>

#include "workers/job.hpp"

namespace feral {

// Throw feral::Error when the job lacks the factory or it returns nothing.
std::unique_ptr<nn::Module> build_model(const Job& job);
std::unique_ptr<data::Dataset> build_train_data(const Job& job);
std::unique_ptr<data::Dataset> build_test_data(const Job& job);  // nothing when the job has none

// job.optimizer, or the rule.
std::unique_ptr<optim::Optimizer> build_optimizer(const Job& job, nn::Module& model, optim::Rule rule,
                                                  const optim::RuleOptions& options);
// job.schedule, or the one of the options.
optim::LRSchedule build_schedule(const Job& job, const optim::ScheduleOptions& options,
                                 const optim::JobLength& length);

// What the options say of the rule and of the schedule.
optim::RuleOptions rule_options(const TrainOptions& options) noexcept;
optim::ScheduleOptions schedule_options(const TrainOptions& options) noexcept;

Tensor batch_loss(const Job& job, nn::Module& model, const data::Batch& batch);

// One step on the batch: job.step or forward, backward, update. Returns the mean loss.
double run_step(const Job& job, StepContext& context);

// Sums over one batch, in evaluation.
struct BatchScore {
  double loss_sum = 0;
  double metric_sum = 0;
};
BatchScore score_batch(const Job& job, nn::Module& model, const data::Batch& batch);

}  // namespace feral
