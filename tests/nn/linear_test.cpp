#include "nn/linear.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/product.hpp"
#include "tensor/generator.hpp"
#include "tests/nn/parameters.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using support::expect_uniform;
using support::names_of;
using testing_support::contains;
using testing_support::error_of;

TEST(Linear, HasPyTorchsParametersAndBounds) {
  manual_seed(3);
  Linear layer(100, 50);
  EXPECT_EQ(names_of(layer), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(layer.weight.shape(), (Shape{50, 100}));
  EXPECT_EQ(layer.bias.shape(), (Shape{50}));
  expect_uniform(layer.weight, 0.1);
  expect_uniform(layer.bias, 0.1);
}

TEST(Linear, WithoutBiasHasNone) {
  Linear layer(4, 3, false);
  EXPECT_EQ(names_of(layer), (std::vector<std::string>{"weight"}));
  EXPECT_FALSE(layer.bias.defined());
  const Tensor x = Tensor::ones({2, 4});
  EXPECT_EQ(layer(x).to_vector<float>(), linear(x, layer.weight).to_vector<float>());
}

TEST(Linear, MultipliesWithTheTransposedWeight) {
  Linear layer(2, 3);
  layer.weight.copy_(Tensor::from_vector<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
  layer.bias.copy_(Tensor::from_vector<float>({10, 20, 30}, {3}));
  const Tensor y = layer(Tensor::from_vector<float>({1, -1, 2, 0}, {2, 2}));
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{9, 19, 29, 12, 26, 40}));
}

TEST(Linear, RefusesSizesBelowOne) {
  EXPECT_TRUE(contains(error_of([] { Linear(0, 3); }), "Linear: 0 in and 3 out"));
  EXPECT_TRUE(contains(error_of([] { Linear(3, -1); }), "-1 out"));
}

TEST(Linear, IsInitializedBySeedAlone) {
  manual_seed(7);
  const auto first = Linear(10, 10).weight.to_vector<float>();
  const auto second = Linear(10, 10).weight.to_vector<float>();
  manual_seed(7);
  EXPECT_EQ(Linear(10, 10).weight.to_vector<float>(), first);
  EXPECT_NE(second, first);
  manual_seed(8);
  EXPECT_NE(Linear(10, 10).weight.to_vector<float>(), first);
}

}  // namespace
}  // namespace feral::nn
