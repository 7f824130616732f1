#include "optim/schedule.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "optim/plateau.hpp"
#include "optim/sgd.hpp"
#include "tests/support/messages.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;

constexpr JobLength length{.steps = 90, .steps_per_epoch = 10};

double rate(ScheduleOptions options, std::uint64_t step) { return make_schedule(options, length).lr(1, step); }

TEST(Schedule, ByNameFollowsTheJob) {
  for (const std::uint64_t step : {0, 9, 45, 90}) {
    EXPECT_EQ(rate({.schedule = Schedule::constant}, step), 1);
    EXPECT_NEAR(rate({.schedule = Schedule::linear}, step), 1 - static_cast<double>(step) / 90, 1e-15);
  }
  EXPECT_EQ(rate({.schedule = Schedule::cosine}, 0), 1);
  EXPECT_NEAR(rate({.schedule = Schedule::cosine}, 45), 0.5, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::cosine}, 90), 0, 1e-12);
  EXPECT_EQ(rate({.schedule = Schedule::step}, 29), 1) << "a third of the job";
  EXPECT_EQ(rate({.schedule = Schedule::step}, 30), 0.1);
  EXPECT_EQ(rate({.schedule = Schedule::step, .gamma = 0.5, .period = 2}, 40), 0.25);
  EXPECT_NEAR(rate({.schedule = Schedule::exponential}, 20), 0.95 * 0.95, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::exponential, .gamma = 0.25}, 5), 0.5, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::polynomial}, 45), 0.25, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::polynomial, .power = 3}, 45), 0.125, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::cosine_restarts, .period = 2}, 30), 0.5, 1e-12);
  EXPECT_EQ(rate({.schedule = Schedule::cosine_restarts, .period = 2}, 40), 1);
  EXPECT_NEAR(rate({.schedule = Schedule::one_cycle}, 0), 1 / 25.0, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::one_cycle}, 26), 1, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::one_cycle}, 89), 1 / 25e4, 1e-12);
}

TEST(Schedule, AWarmupComesBeforeTheSchedule) {
  const ScheduleOptions options{.schedule = Schedule::linear, .warmup = 9};
  EXPECT_NEAR(rate(options, 0), 0.1, 1e-12);
  EXPECT_NEAR(rate(options, 5), 0.6, 1e-12);
  EXPECT_EQ(rate(options, 9), 1);
  EXPECT_NEAR(rate(options, 90), 0, 1e-12);
  EXPECT_NEAR(rate({.schedule = Schedule::linear, .warmup = 999}, 90), 0.091, 1e-12) << "longer than the job";
}

TEST(Schedule, HasNames) {
  EXPECT_EQ(name_of(Schedule::constant), "constant");
  EXPECT_EQ(name_of(Schedule::cosine_restarts), "cosine-restarts");
  EXPECT_EQ(name_of(Schedule::plateau), "plateau");
  EXPECT_TRUE(has(list_of_schedules(), {"constant, linear, cosine, step", "one-cycle, plateau"}));
}

TEST(Schedule, IsAskedForStepsInAnyOrder) {
  const LRSchedule schedule = ChainedScheduler{
      {StepLR{.step_size = 3}, CosineAnnealingWarmRestarts{.T_0 = 4, .T_mult = 3}, LinearLR{.total_iters = 7}}};
  std::vector<double> forwards;
  for (std::uint64_t step = 0; step < 60; ++step) forwards.push_back(schedule.lr(0.5, step));
  for (std::uint64_t step = 60; step-- > 0;) EXPECT_EQ(schedule.lr(0.5, step), forwards[step]);
}

TEST(Schedule, MultipliesEachGroupsOwnRate) {
  SGD optimizer({SGD::Group{{Tensor::zeros({1})}, {.lr = 1}}, SGD::Group{{Tensor::zeros({1})}, {.lr = 0.5}}});
  LRSchedule(StepLR{.step_size = 10, .gamma = 0.5}).apply(optimizer, 25);
  EXPECT_EQ(optimizer.lr(0), 0.25);
  EXPECT_EQ(optimizer.lr(1), 0.125);
  LRSchedule().apply(optimizer, 25);
  EXPECT_EQ(optimizer.lr(0), 1);
  EXPECT_EQ(optimizer.lr(1), 0.5);
}

TEST(Schedule, OneCycleTakesEachGroupsRateAsTheLargestAndStaysAtItsLast) {
  const LRSchedule cycle = OneCycleLR{.total_steps = 100};
  EXPECT_NEAR(cycle.lr(0.5, 29), 0.5, 1e-12);
  EXPECT_NEAR(cycle.lr(2, 29), 2, 1e-12);
  EXPECT_EQ(cycle.lr(0.5, 99), cycle.lr(0.5, 1'000'000));
  EXPECT_EQ(cycle.momentum(99), cycle.momentum(1'000'000));
}

TEST(Schedule, RefusesOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](auto schedule, const std::vector<std::string>& parts) {
    return has(error_of([&] { const LRSchedule made = schedule; }), parts);
  };
  EXPECT_TRUE(refused(ConstantLR{.factor = 1.5}, {"ConstantLR", "factor", "1.5"}));
  EXPECT_TRUE(refused(LinearLR{.start_factor = 0}, {"LinearLR", "start_factor"}));
  EXPECT_TRUE(refused(LinearLR{.total_iters = 0}, {"LinearLR", "total_iters"}));
  EXPECT_TRUE(refused(StepLR{.step_size = 0}, {"StepLR", "step_size"}));
  EXPECT_TRUE(refused(StepLR{.gamma = nan}, {"StepLR", "gamma"}));
  EXPECT_TRUE(refused(MultiStepLR{.milestones = {2, 1}}, {"MultiStepLR", "ascend"}));
  EXPECT_TRUE(refused(ExponentialLR{.gamma = -1}, {"ExponentialLR", "gamma"}));
  EXPECT_TRUE(refused(PolynomialLR{.total_iters = 0}, {"PolynomialLR", "total_iters"}));
  EXPECT_TRUE(refused(CosineAnnealingLR{.T_max = 0}, {"CosineAnnealingLR", "T_max"}));
  EXPECT_TRUE(refused(CosineAnnealingWarmRestarts{.T_mult = 0}, {"CosineAnnealingWarmRestarts", "T_mult"}));
  EXPECT_TRUE(refused(OneCycleLR{.pct_start = 1.5}, {"OneCycleLR", "pct_start"}));
  EXPECT_TRUE(refused(OneCycleLR{.div_factor = 0}, {"OneCycleLR", "div_factor"}));
  EXPECT_TRUE(refused(LambdaLR{}, {"LambdaLR"}));
  EXPECT_TRUE(refused(WarmupLR{.start_factor = 2}, {"WarmupLR", "start_factor"}));
  EXPECT_TRUE(refused(ChainedScheduler{}, {"ChainedScheduler"}));
  EXPECT_TRUE(refused(SequentialLR{{StepLR{}}, {3}}, {"SequentialLR", "1 schedules", "1"}));
  EXPECT_TRUE(has(error_of([] { ReduceLROnPlateau{.factor = 1}.check(); }), {"ReduceLROnPlateau", "factor"}));
}

}  // namespace
}  // namespace feral::optim
