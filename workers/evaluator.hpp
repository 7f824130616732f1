// The evaluator: publishes the initial parameters, then measures the live ones beside the training.
#pragma once

#include "workers/checkpoint_writer.hpp"
#include "workers/job.hpp"
#include "workers/job_arena.hpp"

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
  // once more after the last update; writes checkpoints, if the options ask for them. Returns then, or when a stop
  // is requested, after a last checkpoint.
  void run(JobArena& arena);

 private:
  void publish(JobArena& arena);
  // Loss and accuracy over the test data with the parameters as they are; false when a stop cut it short.
  bool evaluate(JobArena& arena, Evaluation& into);

  // Evaluates the epochs up to `complete`, if there is test data, and writes a checkpoint if one is due.
  void follow(JobArena& arena, std::uint64_t complete);

  const Job& job_;
  const TrainOptions& options_;
  std::unique_ptr<nn::Module> model_;
  std::unique_ptr<optim::Optimizer> optimizer_;  // for its state: size, names, the values that it begins with
  std::unique_ptr<data::Dataset> train_data_;
  std::unique_ptr<data::Dataset> test_data_;
  std::unique_ptr<CheckpointWriter> checkpoints_;  // none without a folder
  std::uint64_t followed_ = 0;                     // epochs
  std::uint64_t kept_ = 0;                         // epochs that were complete at the last checkpoint
};

}  // namespace feral
