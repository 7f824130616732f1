#include "nn/init.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/tensor/operands.hpp"

namespace feral::nn::init {
namespace {

using testing_support::contains;
using testing_support::error_of;

TEST(Init, UniformFillsItsRange) {
  Generator generator(1);
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor tensor = Tensor::empty({100, 100}, dtype);
    uniform_(tensor, -1, 3, generator);
    const auto values = tensor.to_vector<double>();
    const auto [low, high] = std::ranges::minmax(values);
    EXPECT_GE(low, -1);
    EXPECT_LT(low, -0.99);
    EXPECT_LT(high, 3);
    EXPECT_GT(high, 2.99);
  }
}

TEST(Init, DrawsFromTheGeneratorsPosition) {
  Generator generator(1);
  const Tensor first = Tensor::empty({10});
  const Tensor second = Tensor::empty({10});
  uniform_(first, 0, 1, generator);
  EXPECT_EQ(generator.next_block(), 3U);
  uniform_(second, 0, 1, generator);
  EXPECT_NE(first.to_vector<float>(), second.to_vector<float>());
  Generator again(1);
  uniform_(second, 0, 1, again);
  EXPECT_EQ(first.to_vector<float>(), second.to_vector<float>());
}

TEST(Init, FanInBoundIsOneOverTheRoot) {
  Generator generator(2);
  const Tensor tensor = Tensor::empty({10'000});
  fan_in_uniform_(tensor, 16, generator);
  const auto values = tensor.to_vector<double>();
  const auto [low, high] = std::ranges::minmax(values);
  EXPECT_GE(low, -0.25);
  EXPECT_LT(low, -0.249);
  EXPECT_LE(high, 0.25);
  EXPECT_GT(high, 0.249);
  fan_in_uniform_(tensor, 0, generator);
  EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(10'000, 0));
}

TEST(Init, RefusesWhatItCannotFill) {
  EXPECT_TRUE(contains(error_of([] { uniform_(Tensor::zeros({2}, DType::int32), 0, 1); }), "uniform_"));
  EXPECT_TRUE(contains(error_of([] { uniform_(Tensor::zeros({2, 3}).transpose(0, 1), 0, 1); }), "[3, 2]"));
}

}  // namespace
}  // namespace feral::nn::init
