#include "autograd/grad_mode.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::error_of;

TEST(GradMode, NoGradRecordsNothingAndEndsWithItsScope) {
  const Tensor x = Tensor::ones({2}).set_requires_grad(true);
  {
    const NoGradGuard no_grad;
    EXPECT_FALSE((x * 2.0).requires_grad());
    {
      const GradModeGuard record(true);
      EXPECT_TRUE((x * 2.0).requires_grad());
    }
    EXPECT_FALSE(GradMode::enabled());
  }
  EXPECT_TRUE((x * 2.0).requires_grad());
}

TEST(GradMode, BelongsToTheThread) {
  const NoGradGuard no_grad;
  bool enabled_there = false;
  std::thread([&] { enabled_there = GradMode::enabled(); }).join();
  EXPECT_TRUE(enabled_there);
}

TEST(GradMode, SurvivesAFailedBackward) {
  const Tensor x = Tensor::ones({2}).set_requires_grad(true);
  const Tensor y = x.exp();
  y.sum().backward();
  EXPECT_NE(error_of([&] { y.sum().backward(); }), "");
  EXPECT_TRUE(GradMode::enabled());
}

}  // namespace
}  // namespace feral
