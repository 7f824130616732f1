#include <gtest/gtest.h>

#include "nn/conv.hpp"
#include "nn/linear.hpp"
#include "tests/nn/parity.hpp"

namespace feral::nn {
namespace {

TEST(LinearParity, EqualsPyTorch) {
  Linear bias(5, 3);
  expect_parity("basic", "Linear/bias", bias);
  Linear none(5, 2, false);
  expect_parity("basic", "Linear/no_bias_in_3_dimensions", none);
}

TEST(Conv2dParity, EqualsPyTorch) {
  Conv2d strided(2, 3, 3, {.stride = 2, .padding = 1});
  expect_parity("basic", "Conv2d/stride_and_padding", strided);
  Conv2d plain(1, 2, 2, {.bias = false});
  expect_parity("basic", "Conv2d/no_bias", plain);
}

}  // namespace
}  // namespace feral::nn
