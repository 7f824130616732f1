// The fused update against the rule written out in double.
#include "optim/sgd_update.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using testing_support::Numbers;

template <class T>
class SGDUpdate : public testing::Test {};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(SGDUpdate, FloatingTypes);

constexpr std::size_t guard = 3;

// `steps` updates of n elements that start `offset` elements into their memory, against the scalar rule.
template <class T>
void expect_rule(std::size_t n, std::size_t offset, const SGDOptions& step, bool with_velocity, int steps) {
  Numbers numbers(n + 100 * offset);
  const std::size_t total = offset + n + guard;
  std::vector<T> parameter(total);
  std::vector<T> velocity(total, T{0});
  for (T& value : parameter) value = static_cast<T>(numbers.next(-2, 2));
  const std::vector<T> start = parameter;
  std::vector<double> expected(parameter.begin(), parameter.end());
  std::vector<double> expected_velocity(total);
  for (int round = 0; round < steps; ++round) {
    std::vector<T> gradient(total);
    for (T& value : gradient) value = static_cast<T>(numbers.next());
    sgd_update(parameter.data() + offset, gradient.data() + offset,
               with_velocity ? velocity.data() + offset : nullptr, n, step);
    for (std::size_t i = offset; i < offset + n; ++i) {
      const double g = gradient[i] + step.weight_decay * expected[i];
      expected_velocity[i] = with_velocity ? step.momentum * expected_velocity[i] + g : g;
      expected[i] -= step.lr * expected_velocity[i];
    }
  }
  const double allowed = 4 * std::numeric_limits<T>::epsilon() * steps * 4;
  for (std::size_t i = 0; i < total; ++i) {
    if (i < offset || i >= offset + n) {
      ASSERT_EQ(parameter[i], start[i]) << "outside of the parameter";
      ASSERT_EQ(velocity[i], 0) << "outside of the velocity";
    } else {
      ASSERT_NEAR(parameter[i], expected[i], allowed) << i << " of " << n;
      ASSERT_NEAR(velocity[i], with_velocity ? expected_velocity[i] : 0, allowed * 4) << i << " of " << n;
    }
  }
}

TYPED_TEST(SGDUpdate, FollowsTheRuleForAllSizesAndOffsets) {
  for (std::size_t n = 0; n <= 33; ++n) {
    for (const std::size_t offset : {0, 1, 5}) {
      expect_rule<TypeParam>(n, offset, {.lr = 0.1}, false, 5);
      expect_rule<TypeParam>(n, offset, {.lr = 0.1, .weight_decay = 0.01}, false, 5);
      expect_rule<TypeParam>(n, offset, {.lr = 0.1, .momentum = 0.9}, true, 5);
      expect_rule<TypeParam>(n, offset, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}, true, 5);
    }
  }
}

TYPED_TEST(SGDUpdate, TheFirstStepTakesTheGradientAsVelocity) {
  TypeParam parameter = 1;
  TypeParam velocity = 0;
  const TypeParam gradient = 0.5;
  sgd_update(&parameter, &gradient, &velocity, 1, {.lr = 0.5, .momentum = 0.9});
  EXPECT_EQ(velocity, TypeParam{0.5});
  EXPECT_EQ(parameter, TypeParam{0.75});
}

}  // namespace
}  // namespace feral::optim
