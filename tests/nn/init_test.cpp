#include "nn/init.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops/convolution.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn::init {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

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

// Mean and standard deviation of a tensor's elements.
void expect_moments(const Tensor& tensor, double mean, double deviation) {
  const double count = static_cast<double>(tensor.numel());
  EXPECT_NEAR(tensor.mean().item(), mean, 4 * deviation / std::sqrt(count));
  EXPECT_NEAR(tensor.std().item(), deviation, 4 * deviation / std::sqrt(count));
}

TEST(Init, NormalNumbersHaveTheirMoments) {
  Generator generator(2);
  const Tensor tensor = Tensor::empty({200, 150});
  normal_(tensor, 3, 0.5, generator);
  expect_moments(tensor, 3, 0.5);
  trunc_normal_(tensor, 1, 2, -1, 3, generator);
  EXPECT_GE(tensor.min().item(), -1);
  EXPECT_LE(tensor.max().item(), 3);
  expect_moments(tensor, 1, 2 * 0.53956);  // of a normal number cut at one deviation: scipy.stats.truncnorm(-1, 1)
}

TEST(Init, ConstantsAreSeenByNoTape) {
  Tensor tensor = Tensor::empty({2, 3});
  tensor.set_requires_grad(true);
  constant_(tensor, 0.5);
  EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(6, 0.5F));
  ones_(tensor);
  EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(6, 1));
  zeros_(tensor);
  EXPECT_EQ(tensor.to_vector<float>(), std::vector<float>(6, 0));
  eye_(tensor);
  EXPECT_EQ(tensor.to_vector<float>(), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  EXPECT_TRUE(tensor.is_leaf());
  EXPECT_TRUE(tensor.requires_grad());
}

TEST(Init, DiracPassesChannelsOn) {
  Numbers numbers(4);
  const Tensor weight = Tensor::empty({4, 2, 3, 3});
  dirac_(weight, 2);
  const Tensor x = numbers.tensor<float>({1, 4, 5, 5});
  EXPECT_TRUE(conv2d(x, weight, {}, {.padding = 1, .groups = 2}).equal(x));
  const Tensor wide = Tensor::empty({3, 2, 5});
  dirac_(wide);
  const Tensor signal = numbers.tensor<float>({2, 2, 6});
  const Tensor y = conv1d(signal, wide, {}, {.padding = 2});
  EXPECT_TRUE(y.narrow(1, 0, 2).equal(signal));
  EXPECT_EQ(y.narrow(1, 2, 1).abs().max().item(), 0);
}

TEST(Init, XavierAndKaimingHaveTheirDeviations) {
  Generator generator(3);
  const Tensor weight = Tensor::empty({40, 30, 3, 5});
  const double fan_in = 30 * 15;
  const double fan_out = 40 * 15;
  EXPECT_EQ(fans_of(weight).in, 450);
  EXPECT_EQ(fans_of(weight).out, 600);
  xavier_uniform_(weight, 2, generator);
  expect_moments(weight, 0, 2 * std::sqrt(2 / (fan_in + fan_out)));
  EXPECT_LE(weight.abs().max().item(), 2 * std::sqrt(6 / (fan_in + fan_out)));
  xavier_normal_(weight, 1, generator);
  expect_moments(weight, 0, std::sqrt(2 / (fan_in + fan_out)));
  kaiming_uniform_(weight, {.a = 2}, generator);
  expect_moments(weight, 0, std::sqrt(2 / 5.0 / fan_in));
  EXPECT_LE(weight.abs().max().item(), std::sqrt(6 / 5.0 / fan_in) * 1.000001);
  kaiming_normal_(weight, {.mode = FanMode::fan_out, .nonlinearity = Nonlinearity::relu}, generator);
  expect_moments(weight, 0, std::sqrt(2 / fan_out));
  kaiming_uniform_(weight, {.a = std::sqrt(5.0)}, generator);
  EXPECT_LE(weight.abs().max().item(), 1 / std::sqrt(fan_in) * 1.000001) << "what layers start with";
}

TEST(Init, GainsArePyTorchs) {
  EXPECT_EQ(calculate_gain(Nonlinearity::linear), 1);
  EXPECT_EQ(calculate_gain(Nonlinearity::sigmoid), 1);
  EXPECT_DOUBLE_EQ(calculate_gain(Nonlinearity::tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(calculate_gain(Nonlinearity::relu), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(calculate_gain(Nonlinearity::leaky_relu), 1.4141428569978354);
  EXPECT_DOUBLE_EQ(calculate_gain(Nonlinearity::leaky_relu, 0.2), 1.3867504905630728);
  EXPECT_EQ(calculate_gain(Nonlinearity::selu), 0.75);
}

TEST(Init, OrthogonalMatricesAre) {
  Generator generator(5);
  for (const Shape& shape : {Shape{7, 4}, Shape{4, 7}, Shape{5, 5}, Shape{3, 2, 4}}) {
    const Tensor tensor = Tensor::empty(shape, DType::float64);
    orthogonal_(tensor, 3, generator);
    const std::int64_t rows = shape[0];
    const std::int64_t columns = tensor.numel() / rows;
    const Tensor matrix = tensor.reshape({rows, columns});
    const Tensor product = rows <= columns ? matrix.matmul(matrix.t()) : matrix.t().matmul(matrix);
    EXPECT_TRUE(product.allclose(Tensor::eye(std::min(rows, columns), DType::float64) * 9)) << shape.to_string();
  }
  // Of either sign alike: with QR's own signs the first element would always be negative.
  int positive = 0;
  const Tensor tensor = Tensor::empty({2, 2});
  for (int i = 0; i < 400; ++i) {
    orthogonal_(tensor, 1, generator);
    positive += tensor.data<float>()[0] > 0 ? 1 : 0;
  }
  EXPECT_NEAR(positive, 200, 50);
}

TEST(Init, SparseColumnsHaveTheirZeros) {
  Generator generator(6);
  const Tensor tensor = Tensor::empty({50, 40});
  sparse_(tensor, 0.33, 0.1, generator);
  for (std::int64_t column = 0; column < 40; ++column) {
    EXPECT_EQ(50 - tensor.select(1, column).count_nonzero().item<std::int64_t>(), 17);
  }
  expect_moments(tensor.masked_select(tensor.ne(0)), 0, 0.1);
}

TEST(Init, WrongTensorsAreErrorsThatNameTheFunction) {
  const Tensor vector = Tensor::empty({3});
  const Tensor integers = Tensor::zeros({2, 2}, DType::int64);
  EXPECT_TRUE(contains(error_of([&] { normal_(integers); }), "normal_: expected"));
  EXPECT_TRUE(contains(error_of([&] { xavier_normal_(vector); }), "two dimensions"));
  EXPECT_TRUE(contains(error_of([&] { eye_(vector); }), "eye_: expected a matrix"));
  EXPECT_TRUE(contains(error_of([&] { dirac_(Tensor::empty({2, 2})); }), "dirac_"));
  EXPECT_TRUE(contains(error_of([&] { dirac_(Tensor::empty({3, 2, 2}), 2); }), "3 filters do not fall into 2"));
  EXPECT_TRUE(contains(error_of([&] { orthogonal_(vector); }), "orthogonal_"));
  EXPECT_TRUE(contains(error_of([&] { sparse_(Tensor::empty({2, 2}), 1.5); }), "sparsity 1.5"));
  EXPECT_TRUE(contains(error_of([&] { kaiming_normal_(Tensor()); }), "kaiming_normal_"));
}

}  // namespace
}  // namespace feral::nn::init
