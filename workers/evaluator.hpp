// The evaluator: publishes the initial parameters, then measures the live ones beside the training.
#pragma once

#include <memory>
#include <optional>

#include "workers/job.hpp"
#include "workers/job_arena.hpp"
#include "workers/parameter_guard.hpp"

namespace feral {

class Evaluator {
 public:
  // Builds the model (initial values from the options' seed), the optimizer and the data sets.
  Evaluator(const Job& job, const TrainOptions& options);

  // What the launcher needs for its plan.
  JobDescription describe() const;

  // Lets go of the training data, which only describe() looked at.
  void drop_train_data() noexcept { train_data_.reset(); }

  // Publishes the parameters unless a predecessor has, then evaluates after each epoch, without pausing anyone, and
  // once more after the last update. Returns then, or when a stop is requested and no final figure is wanted.
  void run(JobArena& arena);

 private:
  void publish(JobArena& arena);
  // Where there is nothing to evaluate: keeps snapshots until the training is over.
  void keep_snapshots(JobArena& arena);
  // Loss and accuracy over the test data with the parameters as they are; false when a stop cut it short.
  bool evaluate(JobArena& arena, Evaluation& into);

  const Job& job_;
  std::unique_ptr<nn::Module> model_;
  std::unique_ptr<optim::Optimizer> optimizer_;  // for the size of its state and the values that it begins with
  std::optional<ParameterGuard> guard_;
  std::unique_ptr<data::Dataset> train_data_;
  std::unique_ptr<data::Dataset> test_data_;
};

}  // namespace feral
