// The shapes, parameters and modes of the models.
#include <gtest/gtest.h>

#include <cmath>

#include "models/lenet.hpp"
#include "models/mlp.hpp"
#include "nn/loss.hpp"
#include "tests/nn/parameters.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::models {
namespace {

using support::names_of;
using testing_support::error_of;
using testing_support::Numbers;

std::int64_t elements_of(const nn::Module& model) {
  std::int64_t elements = 0;
  for (const Tensor& parameter : model.parameters()) elements += parameter.numel();
  return elements;
}

// Each row's probabilities add up to one.
void expect_log_probabilities(const Tensor& y, std::int64_t rows) {
  ASSERT_EQ(y.shape(), (Shape{rows, 10}));
  for (std::int64_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < 10; ++j) sum += std::exp(static_cast<double>(testing_support::at<float>(y, i, j)));
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(LeNet, HasTheParametersOfTheClassicExample) {
  const LeNet model;
  EXPECT_EQ(elements_of(model), 21'840);
  EXPECT_EQ(names_of(model), (std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias",
                                                       "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}));
}

TEST(LeNet, GivesLogProbabilitiesForAnyBatch) {
  LeNet model;
  Numbers numbers(1);
  for (const std::int64_t n : {1, 3}) expect_log_probabilities(model(numbers.tensor<float>({n, 1, 28, 28})), n);
  EXPECT_EQ(model(Tensor::zeros({0, 1, 28, 28})).shape(), (Shape{0, 10}));
}

TEST(LeNet, DropsInTrainingOnly) {
  manual_seed(1);
  LeNet model;
  Numbers numbers(2);
  const Tensor x = numbers.tensor<float>({2, 1, 28, 28});
  EXPECT_NE(model(x).to_vector<float>(), model(x).to_vector<float>());
  model.eval();
  EXPECT_EQ(model(x).to_vector<float>(), model(x).to_vector<float>());
  LeNet plain(0);
  EXPECT_EQ(plain(x).to_vector<float>(), plain(x).to_vector<float>());
}

TEST(LeNet, RefusesImagesOfAnotherSize) {
  LeNet model;
  EXPECT_NE(error_of([&] { model(Tensor::zeros({1, 3, 28, 28})); }), "");
  EXPECT_NE(error_of([&] { model(Tensor::zeros({1, 1, 32, 32})); }), "");
}

TEST(MLP, HasItsParameters) {
  const MLP model;
  EXPECT_EQ(elements_of(model), 101'770);
  EXPECT_EQ(names_of(model), (std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}));
}

TEST(MLP, TakesImagesAndRows) {
  MLP model;
  Numbers numbers(3);
  const Tensor x = numbers.tensor<float>({3, 1, 28, 28});
  const Tensor y = model(x);
  expect_log_probabilities(y, 3);
  EXPECT_EQ(model(x.reshape({3, 784})).to_vector<float>(), y.to_vector<float>());
}

template <class Model>
void expect_gradients_everywhere() {
  manual_seed(5);
  Model model;
  Numbers numbers(4);
  const Tensor x = numbers.tensor<float>({8, 1, 28, 28});
  nll_loss(model(x), numbers.tensor<std::int64_t>({8}, 0, 10)).backward();
  for (const nn::NamedTensor& parameter : model.named_parameters()) {
    double sum = 0;
    for (const float g : parameter.tensor.grad().template to_vector<float>()) sum += std::abs(g);
    EXPECT_GT(sum, 0) << parameter.name;
  }
}

TEST(LeNet, EveryParameterGetsAGradient) { expect_gradients_everywhere<LeNet>(); }

TEST(MLP, EveryParameterGetsAGradient) { expect_gradients_everywhere<MLP>(); }

template <class Model>
std::vector<float> first_weights(std::uint64_t seed) {
  manual_seed(seed);
  return Model().parameters()[0].template to_vector<float>();
}

TEST(Models, AreInitializedBySeedAlone) {
  EXPECT_EQ(first_weights<LeNet>(1), first_weights<LeNet>(1));
  EXPECT_NE(first_weights<LeNet>(1), first_weights<LeNet>(2));
  EXPECT_EQ(first_weights<MLP>(1), first_weights<MLP>(1));
}

}  // namespace
}  // namespace feral::models
