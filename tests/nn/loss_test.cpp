#include "nn/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

TEST(CrossEntropy, OfEqualLogitsIsTheLogarithmOfTheClasses) {
  const Tensor target = Tensor::from_vector<std::int64_t>({0, 3}, {2});
  EXPECT_NEAR(cross_entropy(Tensor::full({2, 4}, 7, DType::float64), target).item(), std::log(4.0), 1e-14);
}

TEST(CrossEntropy, HasTheSoftmaxMinusTheTargetAsGradient) {
  const Tensor logits = Tensor::from_vector<double>({1, 2, 3}, {1, 3}).set_requires_grad(true);
  cross_entropy(logits, Tensor::from_vector<std::int64_t>({1}, {1})).backward();
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  const auto gradient = logits.grad().to_vector<double>();
  EXPECT_NEAR(gradient[0], std::exp(1.0) / sum, 1e-14);
  EXPECT_NEAR(gradient[1], std::exp(2.0) / sum - 1, 1e-14);
  EXPECT_NEAR(gradient[2], std::exp(3.0) / sum, 1e-14);
}

TEST(MseLoss, IsTheMeanOfTheSquaredDifferences) {
  const Tensor prediction = Tensor::from_vector<double>({1, 2, 5}, {3}).set_requires_grad(true);
  const Tensor loss = mse_loss(prediction, Tensor::from_vector<double>({1, 4, 2}, {3}));
  EXPECT_NEAR(loss.item(), 13.0 / 3, 1e-14);
  loss.backward();
  const auto gradient = prediction.grad().to_vector<double>();
  EXPECT_NEAR(gradient[0], 0, 1e-14);
  EXPECT_NEAR(gradient[1], -4.0 / 3, 1e-14);
  EXPECT_NEAR(gradient[2], 2, 1e-14);
}

}  // namespace
}  // namespace feral::nn
