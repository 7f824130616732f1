#include "workers/job_gate.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

#include "nn/flat_parameters.hpp"
#include "nn/linear.hpp"
#include "optim/sgd.hpp"
#include "shm/memfd.hpp"

namespace feral {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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
    description.tensor_count = names.size();
    description.tensor_name_bytes = JobMeters::tensor_name_bytes(names);
    const JobBlock block = plan_job(options, description, 4);
    const data::BatchLayout batch(description.fields, options.batch);
    const std::size_t bytes = plan_arena(block, slot_bytes(batch)).total_bytes();
    memfd_ = shm::create_memfd("feral-test");
    shm::set_size_and_seal(memfd_.get(), bytes);
    arena_.emplace(JobArena::create(memfd_.get(), block));
    arena_->meters().set_tensor_names(names);
  }

  JobArena& arena() { return *arena_; }
  WorkerMeters& meters(std::size_t worker) { return arena_->meters().workers()[worker]; }
  void set_gradients(double value) {
    for (const Tensor& parameter : model.parameters()) parameter.set_grad(Tensor::full(parameter.shape(), value));
  }
  float weight() { return model.parameters()[0].data<float>()[0]; }

  Net model;

 private:
  shm::Fd memfd_;
  std::optional<JobArena> arena_;
};

TEST(JobGate, AStepWithNumbersIsTakenAndCounted) {
  GatedJob job({});
  optim::SGD sgd(job.model.parameters(), {.lr = 1});
  JobGate gate(job.arena(), {0, 0}, job.model, sgd);
  job.set_gradients(1);
  const float before = job.weight();
  gate.begin(5);
  sgd.step();
  EXPECT_FLOAT_EQ(job.weight(), before - 1);
  EXPECT_EQ(job.arena().meters().updates().updates.load(), 1U);
  EXPECT_EQ(job.meters(0).staleness.counts[0].load(), 1U);
  EXPECT_EQ(job.meters(0).dropped_nonfinite.load(), 0U);
}

TEST(JobGate, AStepWithAValueThatIsNoNumberWritesNothingAndNamesTheTensor) {
  GatedJob job({});
  // The optimizer has the parameters in an order of its own.
  std::vector<Tensor> parameters = job.model.parameters();
  std::reverse(parameters.begin(), parameters.end());
  optim::SGD sgd(parameters, {.lr = 1, .momentum = 0.5});
  JobGate gate(job.arena(), {1, 0}, job.model, sgd);
  job.set_gradients(1);
  Tensor bad = Tensor::ones({2, 3});
  bad.data<float>()[5] = static_cast<float>(nan);
  parameters[1].set_grad(bad);
  const float before = job.weight();
  gate.begin(5);
  sgd.step();
  EXPECT_EQ(job.weight(), before);
  EXPECT_EQ(sgd.step_count(), 0U);
  EXPECT_EQ(job.meters(1).dropped_nonfinite.load(), 1U);
  EXPECT_EQ(job.meters(1).first_dropped.load(), 6U);
  EXPECT_EQ(job.arena().meters().tensor_name(job.meters(1).dropped_tensor.load()), "second.weight");
  EXPECT_EQ(job.arena().meters().updates().updates.load(), 0U);
  gate.begin(6);
  sgd.step();
  EXPECT_EQ(job.meters(1).first_dropped.load(), 6U);
  EXPECT_EQ(job.meters(1).dropped_nonfinite.load(), 2U);
  EXPECT_FALSE(job.arena().stopping());
}

TEST(JobGate, OnlyDropsInARowAreTrouble) {
  TrainOptions options;
  options.nonfinite_limit = 3;
  GatedJob job(options);
  optim::SGD sgd(job.model.parameters(), {.lr = 1e-3});
  JobGate gate(job.arena(), {1, 0}, job.model, sgd);
  std::uint64_t item = 0;
  for (const double value : {nan, nan, 1.0, nan, nan}) {
    job.set_gradients(value);
    gate.begin(item++);
    sgd.step();
  }
  EXPECT_FALSE(job.arena().meters().trouble());
  EXPECT_FALSE(job.arena().stopping());
  gate.begin(item++);
  sgd.step();
  const auto trouble = job.arena().meters().trouble();
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->what, Trouble::gradients);
  EXPECT_EQ(trouble->worker, 1);
  EXPECT_EQ(trouble->item, 5U);
  EXPECT_EQ(job.arena().control().stop.load(), StopReason::requested);
  job.arena().meters().raise({.what = Trouble::parameters, .worker = 7, .item = 9});
  EXPECT_EQ(job.arena().meters().trouble()->item, 5U) << "the first one stays";
}

TEST(JobGate, ARateIsDividedByOnePlusTheStalenessAndComesBack) {
  TrainOptions options;
  options.staleness_scale = true;
  GatedJob job(options);
  optim::SGD sgd(job.model.parameters(), {.lr = 1});
  JobGate gate(job.arena(), {0, 0}, job.model, sgd);
  job.set_gradients(1);
  gate.begin(0);
  job.arena().meters().updates().updates.fetch_add(3);  // others'
  const float before = job.weight();
  sgd.step();
  EXPECT_FLOAT_EQ(job.weight(), before - 0.25F);
  EXPECT_EQ(sgd.lr(), 1);
  EXPECT_EQ(job.meters(0).staleness.counts[3].load(), 1U);
}

TEST(JobMeters, NamesComeBackAndWhatIsBeyondThemHasNone) {
  GatedJob job({});
  EXPECT_EQ(job.arena().meters().tensor_name(0), "first.weight");
  EXPECT_EQ(job.arena().meters().tensor_name(3), "second.bias");
  EXPECT_EQ(job.arena().meters().tensor_name(4), "?");
  EXPECT_EQ(job.arena().meters().tensor_name(1000), "?");
}

}  // namespace
}  // namespace feral
