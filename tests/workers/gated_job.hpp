// A model and the arena of a job that trains it, for tests that play its processes.
#pragma once

#include <optional>

#include "nn/flat_parameters.hpp"
#include "nn/linear.hpp"
#include "optim/sgd.hpp"
#include "shm/memfd.hpp"
#include "workers/job_arena.hpp"

namespace feral::testing_support {

struct Net : nn::Module {
  nn::Linear first{4, 3};
  nn::Linear second{3, 2};
  Net() {
    register_module("first", first);
    register_module("second", second);
  }
  Tensor forward(const Tensor& x) override { return second(first(x)); }
};

// The arena of a job with that model.
class GatedJob {
 public:
  explicit GatedJob(const TrainOptions& options) {
    const nn::FlatLayout layout = nn::flat_layout(model);
    std::vector<std::string> names;
    for (const nn::NamedTensor& parameter : layout.parameters) names.push_back(parameter.name);
    JobDescription description;
    description.samples = 1000;
    description.fields = {{"data", DType::float32, {4}}};
    description.parameter_bytes = layout.size_bytes;
    description.optimizer_bytes = optim::SGD(model.parameters(), sgd_options).state_bytes();
    description.tensor_count = names.size();
    description.tensor_name_bytes = JobMeters::tensor_name_bytes(names);
    const JobBlock block = plan_job(options, description, 4);
    const data::BatchLayout batch(description.fields, options.batch);
    const std::size_t bytes = plan_arena(block, slot_bytes(batch)).total_bytes();
    memfd_ = shm::create_memfd("feral-test");
    shm::set_size_and_seal(memfd_.get(), bytes);
    arena_.emplace(JobArena::create(memfd_.get(), block));
    arena_->meters().set_tensor_names(names);
    nn::copy_parameters(layout, arena_->parameters());
    nn::bind_parameters(layout, arena_->parameters());
  }

  JobArena& arena() { return *arena_; }
  WorkerMeters& meters(std::size_t worker) { return arena_->meters().workers()[worker]; }
  void set_gradients(double value) {
    for (const Tensor& parameter : model.parameters()) parameter.set_grad(Tensor::full(parameter.shape(), value));
  }
  float weight() { return model.parameters()[0].data<float>()[0]; }

  static constexpr optim::SGDOptions sgd_options{.lr = 1, .momentum = 0.5};
  Net model;

 private:
  shm::Fd memfd_;
  std::optional<JobArena> arena_;
};

}  // namespace feral::testing_support
