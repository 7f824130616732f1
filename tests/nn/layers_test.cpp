#include "nn/layers.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tensor/generator.hpp"

namespace feral::nn {
namespace {

TEST(MaxPool2d, TakesItsStrideFromTheKernelUnlessTold) {
  const Tensor x = Tensor::from_vector<float>({1, 5, 2, 3, 4, 0, 9, 8, 7}, {1, 1, 3, 3});
  EXPECT_EQ(MaxPool2d(2).forward(x).to_vector<float>(), (std::vector<float>{5}));
  EXPECT_EQ(MaxPool2d(2, 1).forward(x).to_vector<float>(), (std::vector<float>{5, 5, 9, 8}));
}

TEST(ReLU, CutsBelowZero) {
  ReLU layer;
  EXPECT_EQ(layer(Tensor::from_vector<float>({-1, 0, 2}, {3})).to_vector<float>(), (std::vector<float>{0, 0, 2}));
}

template <class Layer>
void expect_drops_in_training_only() {
  manual_seed(9);
  Layer layer(0.5);
  const Tensor x = Tensor::ones({4, 50, 2, 2});
  const auto trained = layer(x).template to_vector<float>();
  const auto zeros = std::ranges::count(trained, 0.0F);
  EXPECT_GT(zeros, 200);
  EXPECT_LT(zeros, 600);
  EXPECT_EQ(zeros + std::ranges::count(trained, 2.0F), 800);
  EXPECT_NE(layer(x).template to_vector<float>(), trained);
  layer.eval();
  EXPECT_EQ(layer(x).impl(), x.impl());
  layer.train();
  manual_seed(9);
  EXPECT_EQ(layer(x).template to_vector<float>(), trained);
}

TEST(Dropout, DropsInTrainingOnly) { expect_drops_in_training_only<Dropout>(); }

TEST(Dropout2d, DropsInTrainingOnly) { expect_drops_in_training_only<Dropout2d>(); }

}  // namespace
}  // namespace feral::nn
