#include "optim/sgd.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using testing_support::contains;
using testing_support::error_of;

Tensor parameter_of(const std::vector<double>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())}).set_requires_grad(true);
}

TEST(SGD, StepsAgainstTheGradientAndKeepsIt) {
  const Tensor x = parameter_of({1, 2});
  SGD optimizer({x}, {.lr = 0.5});
  x.set_grad(Tensor::from_vector<double>({2, -4}, {2}));
  optimizer.step();
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{0, 4}));
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{2, -4}));
  optimizer.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(SGD, LeavesParametersWithoutAGradientAlone) {
  const Tensor x = parameter_of({1});
  const Tensor y = parameter_of({1});
  SGD optimizer({x, y}, {.lr = 1, .momentum = 0.9, .weight_decay = 0.1});
  y.set_grad(Tensor::from_vector<double>({1}, {1}));
  optimizer.step();
  EXPECT_EQ(x.item(), 1);
  EXPECT_NEAR(y.item(), 1 - 1.1, 1e-15);
}

TEST(SGD, FollowsItsRuleOverSeveralSteps) {
  const SGDOptions options{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01};
  const Tensor x = parameter_of({1, -2, 3});
  SGD optimizer({x}, options);
  std::vector<double> expected = {1, -2, 3};
  std::vector<double> velocity(3);
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    (x * x).sum().backward();
    optimizer.step();
    for (std::size_t i = 0; i < 3; ++i) {
      velocity[i] = options.momentum * velocity[i] + 2 * expected[i] + options.weight_decay * expected[i];
      expected[i] -= options.lr * velocity[i];
    }
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(x.data<double>()[i], expected[i], 1e-13);
}

TEST(SGD, UpdatesInPlaceWhateverTheType) {
  const Tensor single = Tensor::ones({3}).set_requires_grad(true);
  const Tensor twice = parameter_of({1});
  const std::byte* memory = single.raw_data();
  SGD optimizer({single, twice}, {.lr = 0.25});
  single.set_grad(Tensor::ones({3}));
  twice.set_grad(Tensor::ones({1}, DType::float64));
  optimizer.step();
  EXPECT_EQ(single.raw_data(), memory);
  EXPECT_EQ(single.to_vector<float>(), (std::vector<float>{0.75, 0.75, 0.75}));
  EXPECT_EQ(twice.item(), 0.75);
}

TEST(SGD, ReadsAGradientThatIsAView) {
  const Tensor x = Tensor::zeros({2, 3}).set_requires_grad(true);
  x.set_grad(Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {3, 2}).transpose(0, 1));
  SGD({x}, {.lr = 1}).step();
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{-1, -3, -5, -2, -4, -6}));
  x.zero_();
  x.set_grad(Tensor::full({1, 1}, 2).expand({2, 3}));
  SGD({x}, {.lr = 1}).step();
  EXPECT_EQ(x.to_vector<float>(), std::vector<float>(6, -2));
}

TEST(SGD, StepsWithARecordedGradient) {
  const Tensor x = parameter_of({3, 4, 5});
  (x * x).sum().backward({}, false, true);
  SGD({x}, {.lr = 0.5}).step();
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{0, 0, 0}));
  x.set_grad({});
}

TEST(SGD, TheLearningRateMayChange) {
  const Tensor x = parameter_of({1});
  SGD optimizer({x}, {.lr = 0.5});
  x.set_grad(Tensor::from_vector<double>({1}, {1}));
  optimizer.set_lr(0.25);
  EXPECT_EQ(optimizer.lr(), 0.25);
  optimizer.step();
  EXPECT_EQ(x.item(), 0.75);
}

TEST(SGD, NeedsStateForMomentumOnly) {
  const std::vector<Tensor> parameters = {Tensor::zeros({17}), Tensor::zeros({3}),
                                          Tensor::zeros({2}, DType::float64)};
  EXPECT_EQ(SGD(parameters, {.lr = 0.1}).state_bytes(), 64U) << "the counts";
  EXPECT_EQ(SGD(parameters, {.lr = 0.1, .momentum = 0.5}).state_bytes(), 64 + 128U + 64 + 64);
}

TEST(SGD, BoundStateIsSharedAmongOptimizers) {
  alignas(64) std::byte state[192] = {};
  const Tensor x = parameter_of({0});
  const Tensor other = parameter_of({0});
  const Tensor y = parameter_of({0});
  SGD first({x, other}, {.lr = 1, .momentum = 0.5});
  SGD second({y, other}, {.lr = 1, .momentum = 0.5});
  first.bind_state(state);
  second.bind_state(state);
  x.set_grad(Tensor::ones({1}, DType::float64));
  y.set_grad(Tensor::ones({1}, DType::float64));
  first.step();
  EXPECT_EQ(x.item(), -1);
  EXPECT_EQ(*reinterpret_cast<const double*>(state + 64), 1);
  second.step();
  EXPECT_EQ(first.step_count(0), 2U);
  EXPECT_EQ(first.step_count(1), 0U);
  EXPECT_EQ(y.item(), -1.5) << "the second goes on with the first one's velocity";
  EXPECT_EQ(*reinterpret_cast<const double*>(state + 128), 0);
}

TEST(SGD, RefusesAStateOfAnotherSize) {
  alignas(64) std::byte state[256] = {};
  SGD optimizer({parameter_of({0})}, {.lr = 1, .momentum = 0.5});
  const std::string message = error_of([&] { optimizer.bind_state(state); });
  EXPECT_TRUE(contains(message, "SGD: 256 bytes for a state of 128")) << message;
}

TEST(SGD, RefusesOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message_of = [](const SGDOptions& options) {
    return error_of([&] { SGD({Tensor::zeros({1})}, options); });
  };
  for (const double lr : {-0.1, nan}) EXPECT_TRUE(contains(message_of({.lr = lr}), "SGD: the learning rate"));
  for (const double momentum : {-0.1, 1.0, nan}) {
    EXPECT_TRUE(contains(message_of({.lr = 0.1, .momentum = momentum}), "SGD: momentum"));
  }
  for (const double decay : {-0.1, nan}) {
    EXPECT_TRUE(contains(message_of({.lr = 0.1, .weight_decay = decay}), "SGD: weight decay"));
  }
  EXPECT_TRUE(contains(message_of({.nesterov = true}), "SGD: nesterov needs momentum"));
  EXPECT_TRUE(contains(message_of({.momentum = 0.5, .dampening = 0.5, .nesterov = true}), "SGD: nesterov"));
}

TEST(SGD, RefusesParametersItCannotUpdateInPlace) {
  const auto message_of = [](const Tensor& parameter) {
    return error_of([&] { SGD({Tensor::zeros({1}), parameter}, {.lr = 0.1}); });
  };
  EXPECT_TRUE(contains(message_of(Tensor()), "SGD: parameter 1"));
  EXPECT_TRUE(contains(message_of(Tensor::zeros({2, 3}).transpose(0, 1)), "SGD: parameter 1"));
  EXPECT_TRUE(contains(message_of(Tensor::zeros({2}, DType::int32)), "int32"));
}

}  // namespace
}  // namespace feral::optim
