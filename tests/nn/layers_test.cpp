#include "nn/layers.hpp"

#include <gtest/gtest.h>

namespace feral::nn {
namespace {

TEST(MaxPool2d, TakesItsStrideFromTheKernelUnlessTold) {
  const Tensor x = Tensor::from_vector<float>({1, 5, 2, 3, 4, 0, 9, 8, 7}, {1, 1, 3, 3});
  EXPECT_EQ(MaxPool2d(2).forward(x).to_vector<float>(), (std::vector<float>{5}));
  EXPECT_EQ(MaxPool2d(2, 1).forward(x).to_vector<float>(), (std::vector<float>{5, 5, 9, 8}));
}

}  // namespace
}  // namespace feral::nn
