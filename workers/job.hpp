// A training job as its author describes it: what to build and how to train. Every process of the job runs the
// author's main() and so has the same Job; which part of it a process uses follows from its role.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "data/dataset.hpp"
#include "nn/module.hpp"
#include "optim/optimizer.hpp"
#include "optim/rule.hpp"
#include "optim/schedule.hpp"
#include "workers/checkpoint_block.hpp"

namespace feral {

// How workers update the shared parameters.
enum class Policy : std::uint32_t {
  racy,        // all at once, without a lock: an update can be lost, a value never torn (docs/memory-model.md)
  atomic_add,  // steps on a private copy, whose differences are added one by one: none is lost
  locked,      // whole optimizer steps in a serial order, under stripes that outlive whoever is killed holding them
  snapshot,  // steps on a private copy, whose differences are added as racy does: no step sees a mixture in motion
};

inline constexpr int policy_count = 4;

std::string_view name_of(Policy policy) noexcept;

// What happens when gradients are no numbers (docs/hogwild-meters.md).
enum class OnNonfinite : std::uint32_t {
  drop,  // the step is left out; too many in a row stop the run
  stop,  // the first one stops the run
};

inline constexpr int on_nonfinite_count = 2;

std::string_view name_of(OnNonfinite reaction) noexcept;

// The settings of a run; the command line overrides what the job's author chose.
struct TrainOptions {
  std::int64_t workers = 2;
  std::int64_t loaders = 1;
  std::int64_t max_workers = 0;  // that the job may grow to while it runs; 0: twice the cores
  std::int64_t max_loaders = 0;  // the same
  std::int64_t epochs = 20;
  std::int64_t batch = 64;
  optim::Rule optimizer = optim::Rule::sgd;
  double lr = 0.05;
  double momentum = 0.5;  // of rules that have one
  double weight_decay = 0;
  double beta1 = 0.9;  // of Adam and its kin
  double beta2 = 0.999;
  optim::Schedule schedule = optim::Schedule::linear;  // of the learning rate, over the whole job
  double lr_gamma = 0;                                 // what schedules multiply by; 0: their own
  double lr_power = 2;                                 // of the polynomial schedule
  std::int64_t lr_period = 0;                          // of schedules that have one, in epochs; 0: their own
  std::int64_t warmup = 0;                             // steps of all workers together
  Policy policy = Policy::racy;
  std::uint64_t seed = 1;
  bool shared_state = false;        // one optimizer state in the arena instead of one a worker
  std::int64_t evaluate_every = 1;  // epochs; 0: the final parameters alone
  double target_accuracy = 0;       // stop once an epoch's test accuracy reaches it; 0: never
  std::string report;               // path of the JSON report; empty: none
  std::int64_t max_restarts = 10;   // of all children together, before the job is given up
  bool keep_blas_env = false;       // hand OPENBLAS_* variables on to the children as they are

  bool replicas = false;           // one replica of the parameters a NUMA node
  std::int64_t nodes = 0;          // how many nodes to take the machine for; 0: as many as it has
  std::int64_t publish_every = 1;  // batches that a worker trains on before the shared parameters learn of them
  bool deterministic = false;  // the same final parameters, bit for bit, from each run with this seed and workers

  bool staleness_scale = false;  // divide the rate of a step by 1 + its staleness
  OnNonfinite on_nonfinite = OnNonfinite::drop;
  std::int64_t nonfinite_limit = 10;  // that many steps of a worker left out in a row are too many; 0: never

  double hang_timeout = 120;  // seconds without progress after which a process is replaced; 0: never
  double grace = 5;           // seconds in which all processes leave after a stop, or the launcher's death

  std::string checkpoint;             // folder for checkpoints (docs/checkpoints.md); empty: none are written
  std::int64_t checkpoint_every = 1;  // epochs
  std::int64_t checkpoint_keep = 3;   // how many of the newest stay, beside the best
  CheckpointMode checkpoint_mode = CheckpointMode::fuzzy;
  bool resume = false;  // go on from the newest whole checkpoint in that folder

  std::string name;      // of the job, for who steers it; empty: the model's and the launcher's pid
  bool dry_run = false;  // print the plan and train nothing
};

// What a step works on, for jobs with a step of their own.
struct StepContext {
  nn::Module& model;
  const data::Batch& batch;
  optim::Optimizer& optimizer;
};

struct Job {
  std::string name = "model";  // for the report
  std::string data_name = "data";

  // Builds the model with initial values drawn from default_generator(). Called in workers and the evaluator.
  std::function<std::unique_ptr<nn::Module>()> model;
  // Builds the data to train on. Called in loaders and, for its size and fields, in the evaluator.
  std::function<std::unique_ptr<data::Dataset>()> train_data;
  // Builds the data to test on; leave empty for none. Called in the evaluator.
  std::function<std::unique_ptr<data::Dataset>()> test_data;

  // The mean loss of a batch, as a scalar tensor. Empty: nll_loss(model(batch.data()), batch.target()).
  std::function<Tensor(nn::Module& model, const data::Batch& batch)> loss;
  // A sum over a batch of what is to be reported as accuracy once divided by the number of samples. Empty: how
  // often the largest output stands at batch.target().
  std::function<double(nn::Module& model, const data::Batch& batch)> metric;
  // Builds the optimizer; TrainOptions' rule, rates and decay are then without effect, but for a schedule, which
  // multiplies the initial rates of its groups. Called in workers and, for the size of its state and the values
  // that it begins with, in the evaluator. Empty: the rule of the options, for all parameters.
  std::function<std::unique_ptr<optim::Optimizer>(nn::Module& model)> optimizer;
  // Any schedule of optim/schedules.hpp, a function of the job's global step. Empty: the one of the options.
  std::function<optim::LRSchedule(const optim::JobLength& length)> schedule;
  // One training step; returns the mean loss of the batch. Empty: loss, backward, optimizer step.
  std::function<double(StepContext& context)> step;

  TrainOptions defaults;
};

}  // namespace feral
