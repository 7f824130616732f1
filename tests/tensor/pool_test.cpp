// Pooling of one to three dimensions against element-by-element twins.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/pooling.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::Numbers;

// A twin's windows of one dimension: the elements of each, and how many places it has with padding.
struct Window {
  std::vector<std::int64_t> elements;
  double padded = 0;
};

std::vector<Window> windows(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                            std::int64_t dilation, bool ceil_mode) {
  std::vector<Window> result;
  const std::int64_t reach = dilation * (kernel - 1) + 1;
  for (std::int64_t start = -padding;; start += stride) {
    const bool whole = start + reach <= in + padding;
    const bool cut = ceil_mode && start < in && start + reach < in + padding + stride;
    if (!whole && !cut) break;
    Window window;
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t at = start + k * dilation;
      if (at >= 0 && at < in) window.elements.push_back(at);
      if (at < in + padding) ++window.padded;
    }
    result.push_back(window);
  }
  return result;
}

// Whether there are windows, none of them in the padding alone: others are errors.
bool usable(const std::vector<Window>& all) {
  return !all.empty() && std::none_of(all.begin(), all.end(), [](const Window& w) { return w.elements.empty(); });
}

std::vector<Window> adaptive_windows(std::int64_t in, std::int64_t out) {
  std::vector<Window> result;
  for (std::int64_t o = 0; o < out; ++o) {
    Window window;
    for (std::int64_t at = 0; at < in; ++at) {
      // Some part of element `at` lies in share o of the whole.
      if (at * out < (o + 1) * in && (at + 1) * out > o * in) window.elements.push_back(at);
    }
    window.padded = static_cast<double>(window.elements.size());
    result.push_back(window);
  }
  return result;
}

template <class T>
class Pools : public testing::Test {
 protected:
  using Axes = std::vector<std::vector<Window>>;

  // Compares those of max, its indices and mean that are defined over the windows of all dimensions; x [2, 3, …].
  void expect_agreement(const Tensor& x, Axes axes, const Tensor& max, const Tensor& indices, const Tensor& mean,
                        bool count_include_pad) {
    ++looked_at;
    Shape shape = {2, 3};
    std::vector<std::int64_t> sizes(3, 1);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      shape.push_back(static_cast<std::int64_t>(axes[i].size()));
      sizes[3 - axes.size() + i] = x.size(2 + static_cast<std::int64_t>(i));
    }
    for (const Tensor* result : {&max, &indices, &mean}) {
      if (result->defined()) {
        ASSERT_EQ(result->shape(), shape);
      }
    }
    while (axes.size() < 3) axes.insert(axes.begin(), {Window{{0}, 1}});
    std::int64_t at = 0;
    const std::int64_t plane = sizes[0] * sizes[1] * sizes[2];
    for (std::int64_t p = 0; p < 6; ++p) {
      const T* from = x.data<T>() + p * plane;
      for (const Window& wz : axes[0]) {
        for (const Window& wy : axes[1]) {
          for (const Window& wx : axes[2]) {
            std::int64_t where = -1;
            double sum = 0;
            double count = 0;
            for (const std::int64_t z : wz.elements) {
              for (const std::int64_t y : wy.elements) {
                for (const std::int64_t c : wx.elements) {
                  const std::int64_t here = (z * sizes[1] + y) * sizes[2] + c;
                  sum += from[here];
                  ++count;
                  if (where < 0 || (!std::isnan(from[where]) && !(from[here] <= from[where]))) where = here;
                }
              }
            }
            if (indices.defined()) {
              ASSERT_EQ(indices.data<std::int64_t>()[at], where) << at;
            }
            if (max.defined()) {
              ASSERT_TRUE(max.data<T>()[at] == from[where] || std::isnan(from[where])) << at;
              ASSERT_EQ(std::isnan(max.data<T>()[at]), std::isnan(from[where])) << at;
            }
            const double divisor = count_include_pad ? wz.padded * wy.padded * wx.padded : count;
            if (mean.defined() && !std::isnan(sum)) {
              ASSERT_NEAR(mean.data<T>()[at], sum / divisor, 4 * std::numeric_limits<T>::epsilon()) << at;
            }
            ++at;
          }
        }
      }
    }
  }

  Numbers numbers{52};
  int looked_at = 0;
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Pools, FloatingTypes);

TYPED_TEST(Pools, OfTwoDimensionsAgree) {
  for (const std::int64_t kernel : {1, 2, 3, 5}) {
    for (const std::int64_t stride : {1, 2, 3, 4}) {
      for (const std::int64_t padding : {0, 1, 2}) {
        for (const std::int64_t dilation : {1, 2, 3}) {
          for (const bool ceil_mode : {false, true}) {
            for (const std::int64_t width : {1, 2, 5, 6, 7, 13}) {
              const std::int64_t height = width % 5 + 2;
              const auto across = windows(width, kernel, stride, padding, dilation, ceil_mode);
              const auto down = windows(height, kernel, 2, padding, dilation, ceil_mode);
              if (padding > kernel / 2 || !usable(across) || !usable(down)) continue;
              SCOPED_TRACE(testing::Message()
                           << "kernel " << kernel << " stride " << stride << " padding " << padding << " dilation "
                           << dilation << " ceil " << ceil_mode << " width " << width << " height " << height);
              const Tensor x = this->numbers.template tensor<TypeParam>({2, 3, height, width});
              const PoolOptions<2> options = {.kernel = kernel,
                                              .stride = {std::int64_t{2}, stride},
                                              .padding = padding,
                                              .dilation = dilation,
                                              .ceil_mode = ceil_mode};
              const bool count_include_pad = kernel % 2 == 0;
              Tensor mean;  // undefined where it has no such windows
              if (dilation == 1) {
                mean = avg_pool2d(x, {.kernel = kernel,
                                      .stride = {std::int64_t{2}, stride},
                                      .padding = padding,
                                      .ceil_mode = ceil_mode,
                                      .count_include_pad = count_include_pad});
              }
              this->expect_agreement(x, {down, across}, max_pool2d(x, options),
                                     max_pool2d_with_indices(x, options).indices, mean, count_include_pad);
              if (this->HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
  EXPECT_GE(this->looked_at, 80);
}

TYPED_TEST(Pools, OfOneAndThreeDimensionsAgree) {
  for (const std::int64_t size : {3, 4, 9}) {
    for (const bool ceil_mode : {false, true}) {
      const Tensor x = this->numbers.template tensor<TypeParam>({2, 3, size});
      const auto line = windows(size, 3, 2, 1, 1, ceil_mode);
      const PoolOptions<1> one = {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = ceil_mode};
      this->expect_agreement(x, {line}, max_pool1d(x, one), max_pool1d_with_indices(x, one).indices,
                             avg_pool1d(x, {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = ceil_mode}), true);
      const Tensor y = this->numbers.template tensor<TypeParam>({2, 3, size, 5, 4});
      const PoolOptions<3> three = {
          .kernel = {3, 2, 2}, .stride = {2, 3, 2}, .padding = {1, 0, 1}, .ceil_mode = ceil_mode};
      this->expect_agreement(y, {line, windows(5, 2, 3, 0, 1, ceil_mode), windows(4, 2, 2, 1, 1, ceil_mode)},
                             max_pool3d(y, three), max_pool3d_with_indices(y, three).indices,
                             avg_pool3d(y, {.kernel = {3, 2, 2},
                                            .stride = {2, 3, 2},
                                            .padding = {1, 0, 1},
                                            .ceil_mode = ceil_mode,
                                            .count_include_pad = false}),
                             false);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(Pools, AdaptiveOnesAgree) {
  for (const std::int64_t in : {1, 2, 5, 7, 12}) {
    for (const std::int64_t out : {1, 2, 3, 7, 9}) {
      const Tensor x = this->numbers.template tensor<TypeParam>({2, 3, in, 6});
      const auto axes = {adaptive_windows(in, out), adaptive_windows(6, 4)};
      this->expect_agreement(x, axes, adaptive_max_pool2d(x, {out, std::int64_t{4}}), Tensor(),
                             adaptive_avg_pool2d(x, {out, std::int64_t{4}}), false);
      if (this->HasFatalFailure()) return;
    }
  }
  const Tensor line = this->numbers.template tensor<TypeParam>({2, 3, 7});
  this->expect_agreement(line, {adaptive_windows(7, 3)}, Tensor(), Tensor(), adaptive_avg_pool1d(line, 3), false);
  const Tensor volume = this->numbers.template tensor<TypeParam>({2, 3, 3, 4, 5});
  this->expect_agreement(volume, {adaptive_windows(3, 2), adaptive_windows(4, 4), adaptive_windows(5, 1)}, Tensor(),
                         Tensor(), adaptive_avg_pool3d(volume, {2, 4, 1}), false);
  EXPECT_EQ(adaptive_max_pool1d(line, 7).template to_vector<TypeParam>(), line.template to_vector<TypeParam>());
  EXPECT_EQ(adaptive_max_pool3d(volume, 1).shape(), (Shape{2, 3, 1, 1, 1}));
}

TYPED_TEST(Pools, ANaNWinsAndTheFirstOfEqualsIsFound) {
  Tensor x = Tensor::zeros({2, 3, 4, 4}, dtype_of<TypeParam>);
  for (const std::int64_t at : {5, 6, 40}) x.data<TypeParam>()[at] = std::numeric_limits<TypeParam>::quiet_NaN();
  const auto all = windows(4, 3, 1, 1, 1, false);
  const PoolOptions<2> options = {.kernel = 3, .stride = 1, .padding = 1};
  this->expect_agreement(x, {all, all}, max_pool2d(x, options), max_pool2d_with_indices(x, options).indices,
                         avg_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1}), true);
  x.fill_(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(max_pool2d(x, options).template data<TypeParam>()[0], -std::numeric_limits<TypeParam>::infinity());
}

TEST(PoolFunctions, TakeViewsEmptyBatchesAndSixteenBitFloats) {
  Numbers numbers(9);
  const Tensor x = numbers.tensor<float>({2, 3, 6, 5});
  const Tensor turned = x.transpose(2, 3);
  const PoolOptions<2> options = {.kernel = {3, 2}, .padding = {1, 0}};
  EXPECT_EQ(max_pool2d(turned, options).to_vector<float>(),
            max_pool2d(turned.contiguous(), options).to_vector<float>());
  EXPECT_EQ(avg_pool2d(turned).to_vector<float>(), avg_pool2d(turned.contiguous()).to_vector<float>());
  EXPECT_EQ(max_pool2d(Tensor::empty({0, 3, 6, 5}), options).shape(), (Shape{0, 3, 2, 2}));
  EXPECT_EQ(avg_pool2d(Tensor::empty({2, 0, 6, 5})).shape(), (Shape{2, 0, 3, 2}));
  EXPECT_EQ(adaptive_avg_pool2d(x, 0).shape(), (Shape{2, 3, 0, 0}));
  const Tensor half = x.to(DType::bfloat16);
  EXPECT_EQ(max_pool2d(half).dtype(), DType::bfloat16);
  EXPECT_EQ(max_pool2d(half).to_vector<float>(), max_pool2d(half.to(DType::float32)).to_vector<float>());
  EXPECT_EQ(avg_pool1d(Tensor::ones({1, 1, 4}, DType::float16), {.kernel = 4}).to_vector<float>(),
            (std::vector<float>{1}));
}

TEST(PoolFunctions, ADivisorTakesTheCountsPlace) {
  EXPECT_EQ(avg_pool1d(Tensor::ones({1, 1, 5}), {.kernel = 3, .stride = 2, .padding = 1, .divisor = 2})
                .to_vector<float>(),
            (std::vector<float>{1, 1.5, 1}));
}

}  // namespace
}  // namespace feral
