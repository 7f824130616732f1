#include "optim/lbfgs.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;

// Rosenbrock's banana: its minimum, 0, stands at (1, 1), at the end of a curved valley.
Tensor banana(const Tensor& x) {
  const Tensor a = x.select(0, 0);
  const Tensor b = x.select(0, 1);
  const Tensor off = b - a * a;
  return (1 - a) * (1 - a) + 100 * off * off;
}

TEST(LBFGS, FindsTheEndOfACurvedValley) {
  const Tensor x = Tensor::from_vector<double>({-1.5, 2}, {2}).set_requires_grad(true);
  LBFGS optimizer({x}, {.max_iter = 100, .line_search_fn = LineSearch::strong_wolfe});
  const Tensor first = optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor loss = banana(x);
    loss.backward();
    return loss;
  });
  EXPECT_NEAR(first.item(), 6.25 + 100 * 0.0625, 1e-12);
  EXPECT_NEAR(x.data<double>()[0], 1, 1e-5);
  EXPECT_NEAR(x.data<double>()[1], 1, 1e-5);
  EXPECT_GT(optimizer.evaluations(), 20U);
  EXPECT_LT(optimizer.evaluations(), 100U);
}

TEST(LBFGS, MaximizesToo) {
  const Tensor x = Tensor::from_vector<double>({3, -1}, {2}).set_requires_grad(true);
  LBFGS optimizer({x}, {.line_search_fn = LineSearch::strong_wolfe, .maximize = true});
  optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor loss = 5 - (x * x).sum();
    loss.backward();
    return loss;
  });
  EXPECT_NEAR(x.data<double>()[0], 0, 1e-6);
  EXPECT_NEAR(x.data<double>()[1], 0, 1e-6);
}

TEST(LBFGS, SavedStateGoesOnToTheBit) {
  const auto train = [](LBFGS& optimizer, const Tensor& x, int steps) {
    for (int i = 0; i < steps; ++i) {
      optimizer.step([&] {
        optimizer.zero_grad();
        const Tensor loss = banana(x);
        loss.backward();
        return loss;
      });
    }
  };
  const LBFGSOptions options{.max_iter = 3, .history_size = 4, .line_search_fn = LineSearch::strong_wolfe};
  const Tensor whole = Tensor::from_vector<double>({-1.5, 2}, {2}).set_requires_grad(true);
  LBFGS uninterrupted({whole}, options);
  train(uninterrupted, whole, 5);
  const Tensor part = Tensor::from_vector<double>({-1.5, 2}, {2}).set_requires_grad(true);
  std::map<std::string, Tensor> saved;
  {
    LBFGS first({part}, options);
    train(first, part, 3);
    for (const NamedState& state : first.named_state()) saved[state.name] = state.tensor.clone();
  }
  LBFGS second({part}, options);
  second.load_state(saved);
  train(second, part, 2);
  EXPECT_EQ(part.to_vector<double>(), whole.to_vector<double>());
}

TEST(LBFGS, IsDoneAtOnceWhereTheGradientIsFlat) {
  const Tensor x = Tensor::ones({2}).set_requires_grad(true);
  LBFGS optimizer({x});
  optimizer.step([&] {
    x.set_grad(Tensor::zeros({2}));
    return Tensor::zeros({});
  });
  EXPECT_EQ(optimizer.evaluations(), 1U);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(LBFGS, NeedsAClosureAndOneType) {
  const Tensor x = Tensor::ones({2});
  LBFGS optimizer({x});
  EXPECT_TRUE(has(error_of([&] { optimizer.step(); }), {"LBFGS", "closure"}));
  EXPECT_TRUE(has(error_of([] { LBFGS({}); }), {"LBFGS", "no parameters"}));
  EXPECT_TRUE(has(error_of([&] { LBFGS({x, Tensor::ones({1}, DType::float64)}); }), {"float32 and float64"}));
}

}  // namespace
}  // namespace feral::optim
