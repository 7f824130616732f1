// Resizing against an element-by-element twin and PyTorch's numbers.
#include "autograd/ops/interpolate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::Numbers;

// Element `position` (between elements) of x along `dim`, all others kept: linear interpolation of one dimension.
Tensor resized_along(const Tensor& x, int dim, std::int64_t out, double scale, const InterpolateOptions& options) {
  const std::int64_t in = x.size(dim);
  Shape shape = x.shape();
  shape[dim] = out;
  Tensor result = Tensor::empty(shape, DType::float64);
  std::int64_t inner = 1;
  for (int i = dim + 1; i < x.dims(); ++i) inner *= x.size(i);
  const std::int64_t outer = x.numel() / (inner * in);
  const double step = scale > 0 ? 1 / scale : static_cast<double>(in) / static_cast<double>(out);
  for (std::int64_t o = 0; o < out; ++o) {
    double position;
    if (options.mode == InterpolateMode::nearest) {
      position = std::min(std::floor(static_cast<double>(o) * step), static_cast<double>(in - 1));
    } else if (options.align_corners) {
      position = out == 1 ? 0 : static_cast<double>(o * (in - 1)) / static_cast<double>(out - 1);
    } else {
      position = std::clamp((static_cast<double>(o) + 0.5) * step - 0.5, 0.0, static_cast<double>(in - 1));
    }
    const auto near = static_cast<std::int64_t>(position);
    const std::int64_t far = std::min(near + 1, in - 1);
    const double share = position - static_cast<double>(near);
    for (std::int64_t a = 0; a < outer; ++a) {
      for (std::int64_t b = 0; b < inner; ++b) {
        const auto at = [&](std::int64_t k) { return x.data<double>()[(a * in + k) * inner + b]; };
        result.data<double>()[(a * out + o) * inner + b] = (1 - share) * at(near) + share * at(far);
      }
    }
  }
  return result;
}

template <class T>
void expect_agreement(const Tensor& x, const InterpolateOptions& options, double tolerance) {
  const Tensor y = interpolate(x.to(dtype_of<T>), options);
  Tensor expected = x;
  for (int dim = 2; dim < x.dims(); ++dim) {
    const double scale = options.scale.values[static_cast<std::size_t>(dim - 2)];
    expected = resized_along(expected, dim, y.size(dim), scale, options);
  }
  ASSERT_EQ(y.shape(), expected.shape());
  ASSERT_EQ(y.dtype(), dtype_of<T>);
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    ASSERT_NEAR(y.data<T>()[i], expected.data<double>()[i], tolerance) << i;
  }
}

TEST(Interpolate, AgreesForAllModesAndSizes) {
  Numbers numbers(61);
  for (const auto& [mode, corners] : {std::pair{InterpolateMode::nearest, false},
                                      {InterpolateMode::linear, false},
                                      {InterpolateMode::linear, true}}) {
    for (const std::int64_t in : {1, 2, 3, 8}) {
      for (const std::int64_t out : {1, 2, 4, 8, 16}) {
        const InterpolateOptions one = {.size = {out}, .mode = mode, .align_corners = corners};
        const InterpolateOptions two = {.size = {out, 5}, .mode = mode, .align_corners = corners};
        const InterpolateOptions three = {.size = {2, out, 4}, .mode = mode, .align_corners = corners};
        expect_agreement<double>(numbers.tensor<double>({2, 3, in}), one, 1e-13);
        expect_agreement<float>(numbers.tensor<double>({2, 3, in, 3}), two, 1e-5);
        expect_agreement<double>(numbers.tensor<double>({2, 1, 3, in, 4}), three, 1e-13);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
    if (corners) continue;
    for (const double scale : {0.5, 1.5, 2.0, 2.7}) {
      const InterpolateOptions options = {.scale = scale, .mode = mode};
      expect_agreement<double>(numbers.tensor<double>({1, 2, 5, 4}), options, 1e-6);
      expect_agreement<float>(numbers.tensor<double>({1, 2, 5, 4}), options, 1e-5);
    }
  }
}

TEST(Interpolate, TakesViewsEmptyBatchesAndSixteenBitFloats) {
  Numbers numbers(62);
  const Tensor x = numbers.tensor<float>({2, 3, 4, 5}).transpose(2, 3);
  const InterpolateOptions options = {.size = {3, 9}, .mode = InterpolateMode::linear};
  EXPECT_EQ(interpolate(x, options).to_vector<float>(), interpolate(x.contiguous(), options).to_vector<float>());
  EXPECT_EQ(interpolate(Tensor::empty({0, 2, 3}), {.scale = 2}).shape(), (Shape{0, 2, 6}));
  const Tensor half = interpolate(Tensor::ones({1, 1, 2}, DType::float16), {.size = {3}});
  EXPECT_EQ(half.dtype(), DType::float16);
  EXPECT_EQ(half.to_vector<float>(), (std::vector<float>{1, 1, 1}));
}

TEST(Interpolate, AnInfiniteElementStaysWhereItIsWhenSizesAreEqual) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from_vector<float>({1, infinity, 3}, {1, 1, 3});
  EXPECT_EQ(interpolate(x, {.size = {3}, .mode = InterpolateMode::linear}).to_vector<float>(),
            (std::vector<float>{1, infinity, 3}));
}

}  // namespace
}  // namespace feral
