#include "nn/dropout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tensor/generator.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

// What a module makes of ones while training, from a seed.
template <class Layer>
Tensor trained(double probability, const Shape& shape, std::uint64_t seed = 9, DType dtype = DType::float32) {
  manual_seed(seed);
  Layer layer(probability);
  return layer(Tensor::ones(shape, dtype));
}

// The share of elements below 0.5 (dropped ones are 0, or negative for the alpha kinds).
double dropped_share(const Tensor& y) { return y.lt(0.5).to(DType::float64).mean().item(); }

template <class Layer>
class DropoutKinds : public testing::Test {};
using Kinds = testing::Types<Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout>;
TYPED_TEST_SUITE(DropoutKinds, Kinds);

template <class Layer>
Shape shape_for() {
  if constexpr (std::is_same_v<Layer, Dropout1d>) return {400, 50, 2};
  if constexpr (std::is_same_v<Layer, Dropout3d>) return {400, 50, 1, 2, 1};
  return {400, 50, 1, 2};
}

TYPED_TEST(DropoutKinds, DropTheGivenShare) {
  // 20,000 draws or more: six standard deviations are less than 0.021.
  for (const double p : {0.1, 0.5, 0.9}) {
    EXPECT_NEAR(dropped_share(trained<TypeParam>(p, shape_for<TypeParam>())), p, 0.021) << p;
  }
}

TYPED_TEST(DropoutKinds, AreTheIdentityInEvaluationAndWithProbabilityZero) {
  const Tensor x = Tensor::ones(shape_for<TypeParam>());
  TypeParam layer(0.5);
  layer.eval();
  EXPECT_EQ(layer(x).impl(), x.impl());
  TypeParam none(0);
  EXPECT_EQ(none(x).impl(), x.impl());
}

TYPED_TEST(DropoutKinds, DropAllWithProbabilityOne) {
  Tensor x = Tensor::ones(shape_for<TypeParam>()).set_requires_grad(true);
  TypeParam layer(1);
  const Tensor y = layer(x);
  EXPECT_FALSE(y.ne(0).any().template item<bool>());
  y.sum().backward();
  EXPECT_FALSE(x.grad().ne(0).any().template item<bool>());
}

TYPED_TEST(DropoutKinds, FollowFromSeedStreamAndOffset) {
  const Shape shape = shape_for<TypeParam>();
  const auto first = trained<TypeParam>(0.5, shape).template to_vector<float>();
  EXPECT_EQ(trained<TypeParam>(0.5, shape).template to_vector<float>(), first);
  EXPECT_NE(trained<TypeParam>(0.5, shape, 10).template to_vector<float>(), first);
  TypeParam layer(0.5);
  const Tensor x = Tensor::ones(shape);
  default_generator().seek(9, 1);
  EXPECT_NE(layer(x).template to_vector<float>(), first) << "another stream";
  default_generator().seek(9, 0);
  EXPECT_EQ(layer(x).template to_vector<float>(), first);
  EXPECT_NE(layer(x).template to_vector<float>(), first) << "another offset";
}

TYPED_TEST(DropoutKinds, DropTheSameInBothTypesAndOnTheWayBack) {
  const Shape shape = shape_for<TypeParam>();
  const Tensor y = trained<TypeParam>(0.3, shape);
  const Tensor wide = trained<TypeParam>(0.3, shape, 9, DType::float64);
  EXPECT_TRUE(y.lt(0.5).equal(wide.lt(0.5)));
  manual_seed(9);
  Tensor x = Tensor::ones(shape).set_requires_grad(true);
  TypeParam layer(0.3);
  layer(x).sum().backward();
  EXPECT_TRUE(x.grad().eq(0).equal(y.lt(0.5)));
}

TYPED_TEST(DropoutKinds, RefuseOtherProbabilities) {
  EXPECT_TRUE(contains(error_of([] { TypeParam(1.5); }), "1.5"));
  EXPECT_TRUE(contains(error_of([] { TypeParam(-0.1); }), "-0.1"));
  EXPECT_TRUE(contains(error_of([] { TypeParam(std::nan("")); }), "nan"));
}

TEST(Dropout, ScalesWhatItKeeps) {
  const Tensor y = trained<Dropout>(0.2, {1000});
  for (const double value : y.to_vector<double>())
    EXPECT_TRUE(value == 0 || std::abs(value - 1.25) < 1e-6) << value;
  EXPECT_EQ(Dropout(0.2).repr(), "Dropout(p=0.2)");
}

// Every channel as a whole, and channels apart from each other.
void expect_whole_channels(const Tensor& y, std::int64_t channels) {
  const Tensor rows = y.reshape({channels, -1});
  EXPECT_TRUE(rows.amax(1).equal(rows.amin(1)));
  EXPECT_TRUE(rows.lt(0.5).any().item<bool>());
  EXPECT_FALSE(rows.lt(0.5).all().item<bool>());
}

TEST(ChannelDropout, DropsWholeChannels) {
  expect_whole_channels(trained<Dropout1d>(0.5, {4, 10, 3}), 40);
  expect_whole_channels(trained<Dropout1d>(0.5, {40, 3}), 40);
  expect_whole_channels(trained<Dropout2d>(0.5, {4, 10, 3, 2}), 40);
  expect_whole_channels(trained<Dropout3d>(0.5, {4, 10, 3, 2, 2}), 40);
  expect_whole_channels(trained<Dropout3d>(0.5, {40, 3, 2, 2}), 40);
  expect_whole_channels(trained<FeatureAlphaDropout>(0.5, {4, 10, 3, 2}), 40);
}

TEST(ChannelDropout, RefusesOtherShapes) {
  const auto message = [](auto layer, const Shape& shape) {
    return error_of([&] { (void)layer->forward(Tensor::ones(shape)); });
  };
  Dropout1d one;
  Dropout2d two;
  Dropout3d three;
  FeatureAlphaDropout alpha;
  EXPECT_TRUE(contains(message(&one, {3}), "dropout1d: the input must have 3 dimensions, got shape [3]"));
  EXPECT_TRUE(contains(message(&two, {3, 2}), "dropout2d"));
  EXPECT_TRUE(contains(message(&three, {3}), "dropout3d"));
  EXPECT_TRUE(contains(message(&alpha, {3}), "feature_alpha_dropout: expected [n, channels, ...], got shape [3]"));
  AlphaDropout elements;
  EXPECT_TRUE(contains(error_of([&] { (void)elements(Tensor::ones({2}, DType::int32)); }), "alpha_dropout"));
}

TEST(AlphaDropout, KeepsMeanAndVarianceOfNormalNumbers) {
  for (const double p : {0.1, 0.4}) {
    manual_seed(12);
    const Tensor x = Tensor::randn({200'000}, DType::float64);
    AlphaDropout layer(p);
    const Tensor y = layer(x);
    EXPECT_NEAR(y.mean().item(), 0, 0.02) << p;
    EXPECT_NEAR(y.var().item(), 1, 0.02) << p;
  }
}

TEST(AlphaDropout, PutsTheSaturatedValueOfSeluInTheirPlace) {
  const double p = 0.25;
  const double saturated = -1.0507009873554804934 * 1.6732632423543772848;
  const double scale = 1 / std::sqrt((1 - p) * (1 + p * saturated * saturated));
  const double shift = -scale * p * saturated;
  const Tensor y = trained<AlphaDropout>(p, {1000}, 3, DType::float64);
  for (const double value : y.to_vector<double>()) {
    EXPECT_TRUE(std::abs(value - (scale + shift)) < 1e-12 || std::abs(value - (scale * saturated + shift)) < 1e-12)
        << value;
  }
}

}  // namespace
}  // namespace feral::nn
