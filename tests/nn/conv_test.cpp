#include "nn/conv.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/convolution.hpp"
#include "tensor/generator.hpp"
#include "tests/nn/parameters.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using support::expect_uniform;
using support::names_of;
using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

TEST(Conv2d, HasPyTorchsParametersAndBounds) {
  manual_seed(4);
  Conv2d layer(4, 30, 5);
  EXPECT_EQ(names_of(layer), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(layer.weight.shape(), (Shape{30, 4, 5, 5}));
  EXPECT_EQ(layer.bias.shape(), (Shape{30}));
  expect_uniform(layer.weight, 0.1);
  expect_uniform(layer.bias, 0.1);
}

TEST(Conv2d, PassesItsGeometryOn) {
  Conv2d layer(2, 3, 3, {.stride = 2, .padding = 1, .bias = false});
  EXPECT_FALSE(layer.bias.defined());
  Numbers numbers(5);
  const Tensor x = numbers.tensor<float>({1, 2, 7, 8});
  const Tensor y = layer(x);
  EXPECT_EQ(y.shape(), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(y.to_vector<float>(), conv2d(x, layer.weight, {}, {.stride = 2, .padding = 1}).to_vector<float>());
}

TEST(Conv2d, RefusesSizesOutOfRange) {
  EXPECT_TRUE(contains(error_of([] { Conv2d(0, 1, 1); }), "Conv2d: 0 in"));
  EXPECT_TRUE(contains(error_of([] { Conv2d(1, 0, 1); }), "0 out"));
  EXPECT_TRUE(contains(error_of([] { Conv2d(1, 1, 0); }), "kernel 0"));
  EXPECT_TRUE(contains(error_of([] { Conv2d(1, 1, 1, {.stride = 0}); }), "stride 0"));
  EXPECT_TRUE(contains(error_of([] { Conv2d(1, 1, 1, {.padding = -1}); }), "padding -1"));
}

}  // namespace
}  // namespace feral::nn
