// log-softmax and the negative log-likelihood against twins in long double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::at;
using testing_support::cpu_kernels;
using testing_support::Numbers;

template <class T>
class Softmax : public testing::Test {
 protected:
  static void expect_log_softmax(const Tensor& x) {
    const Tensor out = Tensor::empty(x.shape(), dtype_of<T>);
    cpu_kernels().softmax(out, x, 1, true);
    const std::int64_t classes = x.shape()[1];
    for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
      long double largest = at<T>(x, i, 0);
      for (std::int64_t j = 1; j < classes; ++j) largest = std::max<long double>(largest, at<T>(x, i, j));
      long double sum = 0;
      for (std::int64_t j = 0; j < classes; ++j) sum += std::exp(at<T>(x, i, j) - largest);
      for (std::int64_t j = 0; j < classes; ++j) {
        const auto expected = static_cast<double>(at<T>(x, i, j) - largest - std::log(sum));
        const double scale = std::abs(static_cast<double>(largest)) + std::abs(expected) + 1;
        const double allowed = std::numeric_limits<T>::epsilon() * static_cast<double>(classes + 2) * scale;
        ASSERT_NEAR(at<T>(out, i, j), expected, allowed) << i << ", " << j;
        ASSERT_LE(at<T>(out, i, j), 0);
      }
    }
  }

  Numbers numbers{61};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Softmax, FloatingTypes);

TYPED_TEST(Softmax, AgreesForAllSizes) {
  for (const std::int64_t classes : testing_support::sweep_sizes) {
    if (classes == 0) continue;
    for (const std::int64_t rows : {0, 1, 5}) {
      this->expect_log_softmax(this->numbers.template tensor<TypeParam>({rows, classes}, -5, 5));
    }
  }
}

TYPED_TEST(Softmax, HoldsAtExtremes) {
  this->expect_log_softmax(Tensor::from_vector<TypeParam>({1e4, -1e4, 0}, {1, 3}));
  this->expect_log_softmax(Tensor::from_vector<TypeParam>({1e4, 1e4, 1e4}, {1, 3}));
  this->expect_log_softmax(Tensor::from_vector<TypeParam>({-1e4, -1e4, -1e4}, {1, 3}));
  const Tensor out = Tensor::empty({1, 3}, dtype_of<TypeParam>);
  cpu_kernels().softmax(out, Tensor::from_vector<TypeParam>({1e4, -1e4, 0}, {1, 3}), 1, true);
  EXPECT_EQ(out.template to_vector<double>(), (std::vector<double>{0, -2e4, -1e4}));
}

TYPED_TEST(Softmax, ANaNPoisonsItsRowAlone) {
  constexpr TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  for (int position = 0; position < 3; ++position) {
    std::vector<TypeParam> values(6, 1);
    values[static_cast<std::size_t>(position)] = nan;
    const Tensor out = Tensor::empty({2, 3}, dtype_of<TypeParam>);
    cpu_kernels().softmax(out, Tensor::from_vector(values, {2, 3}), 1, true);
    for (int j = 0; j < 3; ++j) EXPECT_TRUE(std::isnan(out.data<TypeParam>()[j])) << position;
    for (int j = 3; j < 6; ++j) EXPECT_NEAR(out.data<TypeParam>()[j], -std::log(3.0), 1e-6) << position;
  }
}

TYPED_TEST(Softmax, NllLossIsTheMeanOfTheTargets) {
  const Tensor x = this->numbers.template tensor<TypeParam>({17, 5}, -3, 0);
  std::vector<std::int64_t> labels(17);
  double sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    labels[i] = static_cast<std::int64_t>(i * 3 % 5);
    sum -= at<TypeParam>(x, static_cast<std::int64_t>(i), labels[i]);
  }
  const Tensor target = Tensor::from_vector(labels, {17});
  const Tensor out = Tensor::empty({}, dtype_of<TypeParam>);
  cpu_kernels().nll_loss(out, x, target);
  EXPECT_NEAR(out.item(), sum / 17, 4 * std::numeric_limits<TypeParam>::epsilon() * sum / 17);
}

TYPED_TEST(Softmax, NllLossScatterWritesTheTargetsAndZeroesTheRest) {
  const Tensor target = Tensor::from_vector<std::int64_t>({2, 0, 2, 1}, {4});
  const Tensor out = Tensor::full({4, 3}, 9, dtype_of<TypeParam>);
  cpu_kernels().nll_loss_scatter(out, Tensor::full({}, 6, dtype_of<TypeParam>), target);
  EXPECT_EQ(out.template to_vector<double>(),
            (std::vector<double>{0, 0, -1.5, -1.5, 0, 0, 0, 0, -1.5, 0, -1.5, 0}));
}

}  // namespace
}  // namespace feral
