// Running statistics: what they do to the tape, and what several workers make of them.
#include "nn/batch_norm.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>

#include "autograd/grad_mode.hpp"
#include "nn/flat_parameters.hpp"
#include "nn/running_statistics.hpp"
#include "tensor/generator.hpp"
#include "tests/support/forked.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

TEST(BatchNorm, UpdatesOfStatisticsAreNotRecordedAndDoNotDisturbItsOwnTape) {
  BatchNorm1d norm(3);
  Numbers numbers(1);
  const Tensor x = numbers.tensor<float>({8, 3}).set_requires_grad(true);
  const Tensor y = norm(x);
  norm.eval();
  const Tensor judged = norm(x);
  norm.train();
  const Tensor again = norm(x);  // moves the statistics once more
  EXPECT_FALSE(norm.running_mean.requires_grad());
  EXPECT_TRUE(norm.running_mean.is_leaf());
  (y.sum() + judged.sum() + again.sum()).backward();
  EXPECT_TRUE(x.grad().defined());
}

TEST(BatchNorm, AGradientFromStatisticsThatHaveMovedIsAnError) {
  BatchNorm1d norm(3);
  Numbers numbers(1);
  const Tensor x = numbers.tensor<float>({8, 3}).set_requires_grad(true);
  const Tensor held = x * norm.running_mean;
  norm(x);
  EXPECT_TRUE(contains(error_of([&] { held.sum().backward(); }), "written in place"));
}

TEST(BatchNorm, StatisticsMoveInTrainingAlone) {
  BatchNorm2d norm(2);
  Numbers numbers(2);
  const Tensor x = numbers.tensor<float>({4, 2, 3, 3}, 2, 6);
  norm.eval();
  norm(x);
  EXPECT_EQ(norm.num_batches_tracked.item<std::int64_t>(), 0);
  EXPECT_EQ(norm.running_mean.to_vector<float>(), (std::vector<float>{0, 0}));
  norm.train();
  const NoGradGuard no_grad;  // as PyTorch's, they move without a tape, too
  norm(x);
  EXPECT_EQ(norm.num_batches_tracked.item<std::int64_t>(), 1);
  EXPECT_NEAR(norm.running_mean.to_vector<float>()[0], 0.4, 0.05);
}

TEST(BatchNorm, EvaluationIsTheSameForEverySample) {
  BatchNorm1d norm(4);
  norm.eval();
  Numbers numbers(3);
  const Tensor x = numbers.tensor<float>({6, 4});
  const Tensor all = norm(x);
  EXPECT_TRUE(norm(x.narrow(0, 2, 1)).equal(all.narrow(0, 2, 1)));
}

// Memory that forked processes share.
struct SharedRegion {
  explicit SharedRegion(std::size_t bytes)
      : size(bytes),
        data(static_cast<std::byte*>(
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;
  ~SharedRegion() { ::munmap(data, size); }
  std::span<std::byte> span() const { return {data, size}; }

  std::size_t size;
  std::byte* data;
};

constexpr std::int64_t features = 37;
constexpr std::int64_t steps = 400;

// Channel c of the data: mean c - 10, deviation 1 + c / 8.
Tensor data_of(Generator& generator) {
  const Tensor channel = Tensor::arange(0, features, 1, DType::float32);
  return Tensor::randn({64, features}, DType::float32, &generator) * (channel / 8 + 1) + (channel - 10);
}

TEST(BatchNorm, TwoProcessesKeepOneSetOfStatistics) {
  BatchNorm1d norm(features);
  const FlatLayout layout = flat_layout(norm);
  const SharedRegion region(layout.size_bytes);
  copy_parameters(layout, region.span());
  const auto worker = [&](std::uint64_t seed) {
    return [&region, seed] {
      BatchNorm1d own(features);
      bind_parameters(flat_layout(own), region.span());
      Generator generator(seed);
      for (std::int64_t step = 0; step < steps; ++step) own(data_of(generator));
      return 0;
    };
  };
  support::Forked first(worker(1));
  support::Forked second(worker(2));
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);

  bind_parameters(layout, region.span());
  for (std::int64_t c = 0; c < features; ++c) {
    const double deviation = 1 + static_cast<double>(c) / 8;
    // The running mean of batches of 64 deviates by about deviation / 8 × √(0.1 / 1.9) = 0.03 deviations.
    EXPECT_NEAR(norm.running_mean.to_vector<float>()[static_cast<std::size_t>(c)], static_cast<double>(c) - 10,
                0.15 * deviation);
    EXPECT_NEAR(norm.running_var.to_vector<float>()[static_cast<std::size_t>(c)], deviation * deviation,
                0.25 * deviation * deviation);
  }
  const auto counted = norm.num_batches_tracked.item<std::int64_t>();
  EXPECT_LE(counted, 2 * steps);
  EXPECT_GE(counted, steps / 2);  // updates may be lost, and one worker may run before the other
  // What a model of another process evaluates with.
  norm.eval();
  Generator generator(3);
  const Tensor y = norm(data_of(generator));
  EXPECT_LT(y.mean().abs().item(), 0.1);
  EXPECT_NEAR(y.std().item(), 1, 0.1);
}

TEST(RunningStatistics, MoveAStepTowardsWhatIsFresh) {
  const Tensor running = Tensor::from_vector<double>({1, 2}, {2});
  update_running(running, Tensor::from_vector<double>({5, -2}, {2}), 0.25, 2);
  EXPECT_EQ(running.to_vector<double>(), (std::vector<double>{3.25, 0.5}));
  const Tensor batches = Tensor::zeros({}, DType::int64);
  EXPECT_EQ(count_batch(batches), 1);
  EXPECT_EQ(count_batch(batches), 2);
  EXPECT_EQ(batches.item<std::int64_t>(), 2);
}

TEST(BatchNorm, WrongUsesAreErrorsThatNameIt) {
  const Tensor x = Tensor::ones({2, 3});
  const auto refused = [](const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_TRUE(contains(message, part)) << part << " in: " << message;
  };
  refused(error_of([] { BatchNorm1d(0); }), {"BatchNorm1d", "0 features"});
  refused(error_of([] { BatchNorm2d(3, {.eps = -1}); }), {"BatchNorm2d", "eps -1"});
  refused(error_of([] { BatchNorm2d(3, {.momentum = 1.5}); }), {"BatchNorm2d", "momentum 1.5", "[0, 1]"});
  refused(error_of([&] { BatchNorm1d(4)(x); }), {"BatchNorm1d", "[n, 4, ...]", "[2, 3]"});
  refused(error_of([&] { BatchNorm2d(3)(x); }), {"BatchNorm2d", "4 to 4 dimensions", "[2, 3]"});
  refused(error_of([] {
            BatchNorm1d(3)(Tensor::ones({1, 3}));
          }),
          {"BatchNorm1d", "[1, 3]", "1 value", "at least 2"});
  refused(error_of([] { BatchNorm1d(3)(Tensor()); }), {"BatchNorm1d", "undefined"});
  refused(error_of([] { InstanceNorm1d(0); }), {"InstanceNorm1d", "0 features"});
  refused(error_of([] {
            InstanceNorm1d(3)(Tensor::ones({2, 3, 1}));
          }),
          {"InstanceNorm1d", "[2, 3, 1]", "at least 2"});
  refused(error_of([] {
            InstanceNorm2d(3)(Tensor::ones({2, 4, 2, 2}));
          }),
          {"InstanceNorm2d", "[n, 3]", "[2, 4, 2, 2]"});
}

}  // namespace
}  // namespace feral::nn
