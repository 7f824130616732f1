#include "workers/job_functions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/ops/classification.hpp"
#include "nn/linear.hpp"
#include "optim/sgd.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

// Counts its passes.
struct Counting : nn::Module {
  nn::Linear linear{2, 3};
  int passes = 0;
  Counting() { register_module("linear", linear); }
  Tensor forward(const Tensor& x) override {
    ++passes;
    return log_softmax(linear(x));
  }
};

struct Samples {
  data::BatchLayout layout;
  std::vector<float> memory;
  data::Batch batch;

  explicit Samples(const Shape& target)
      : layout({{"data", DType::float32, {2}}, {"target", DType::int64, target}}, 4) {
    memory.resize(layout.size_bytes() / sizeof(float));
    batch = data::Batch(layout, reinterpret_cast<std::byte*>(memory.data()), 4);
    for (std::int64_t i = 0; i < 8; ++i) batch.data().data<float>()[i] = static_cast<float>(i % 3);
  }
};

TEST(JobFunctions, AJobWithoutItsFactoriesSaysWhichIsMissing) {
  const Job job;
  EXPECT_TRUE(support::has(support::error_of([&] { build_model(job); }), {"Job::model"}));
  EXPECT_TRUE(support::has(support::error_of([&] { build_train_data(job); }), {"Job::train_data"}));
  EXPECT_EQ(build_test_data(job), nullptr);
}

TEST(JobFunctions, TheDefaultScoreRunsTheModelOnceAndCountsWhatIsRight) {
  Counting model;
  const Samples samples({});
  const BatchScore score = score_batch(Job{}, model, samples.batch);
  EXPECT_EQ(model.passes, 1);
  const std::vector<std::int64_t> best = model(samples.batch.data()).argmax(1).to_vector<std::int64_t>();
  EXPECT_EQ(score.metric_sum, static_cast<double>(std::ranges::count(best, 0)));
  EXPECT_NEAR(score.loss_sum, 4 * batch_loss(Job{}, model, samples.batch).item(), 1e-6);
}

TEST(JobFunctions, FunctionsOfTheJobReplaceTheDefaults) {
  Counting model;
  const Samples samples({});
  Job job;
  job.loss = [](nn::Module& m, const data::Batch& batch) { return m(batch.data()).sum() * 0.0 + 2.5; };
  job.metric = [](nn::Module&, const data::Batch& batch) { return static_cast<double>(batch.size()) / 2; };
  const BatchScore score = score_batch(job, model, samples.batch);
  EXPECT_DOUBLE_EQ(score.loss_sum, 10);
  EXPECT_DOUBLE_EQ(score.metric_sum, 2);
}

TEST(JobFunctions, TargetsThatAreNoLabelsNeedAMetricOfTheJob) {
  Counting model;
  const Samples samples({3});
  Job job;
  job.loss = [](nn::Module& m, const data::Batch& batch) { return m(batch.data()).sum(); };
  EXPECT_TRUE(support::has(support::error_of([&] { score_batch(job, model, samples.batch); }),
                           {"accuracy", "[4, 3]", "Job::metric"}));
}

TEST(JobFunctions, AStepUpdatesAndLeavesNoGradient) {
  Counting model;
  const Samples samples({});
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  StepContext context{model, samples.batch, optimizer};
  const std::vector<float> before = model.linear.weight.to_vector<float>();
  const double first = run_step(Job{}, context);
  EXPECT_NE(model.linear.weight.to_vector<float>(), before);
  EXPECT_FALSE(model.linear.weight.grad().defined());
  EXPECT_LT(run_step(Job{}, context), first);
}

}  // namespace
}  // namespace feral
