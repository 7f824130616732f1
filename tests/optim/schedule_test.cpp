#include "optim/schedule.hpp"

#include <gtest/gtest.h>

namespace feral::optim {
namespace {

TEST(Schedule, ConstantStaysLinearAndCosineFallToZero) {
  for (const double progress : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    EXPECT_DOUBLE_EQ(schedule_factor(Schedule::constant, progress), 1);
    EXPECT_DOUBLE_EQ(schedule_factor(Schedule::linear, progress), 1 - progress);
  }
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::cosine, 0), 1);
  EXPECT_NEAR(schedule_factor(Schedule::cosine, 0.25), 0.853553390593, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::cosine, 0.5), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor(Schedule::cosine, 1), 0, 1e-12);
}

TEST(Schedule, ProgressOutsideOfTheJobIsItsStartOrEnd) {
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::linear, -1), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::linear, 2), 0);
}

TEST(Schedule, HasNames) {
  EXPECT_EQ(name_of(Schedule::constant), "constant");
  EXPECT_EQ(name_of(Schedule::linear), "linear");
  EXPECT_EQ(name_of(Schedule::cosine), "cosine");
}

}  // namespace
}  // namespace feral::optim
