// A job's functions with their defaults filled in.
#pragma once

#include <memory>

#include "workers/job.hpp"

namespace feral {

// Throw feral::Error when the job lacks the factory or it returns nothing.
std::unique_ptr<nn::Module> build_model(const Job& job);
std::unique_ptr<data::Dataset> build_train_data(const Job& job);
std::unique_ptr<data::Dataset> build_test_data(const Job& job);  // nothing when the job has none

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
