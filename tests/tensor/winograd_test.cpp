// Winograd's convolution against the direct sum in float64.
#include "tensor/cpu/winograd.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using cpu::WinogradSizes;
using testing_support::Numbers;

// Calls at(out's index, x's index, weight's index) for every product of the convolution.
template <class At>
void for_each_product(const WinogradSizes& s, At&& at) {
  for (std::int64_t n = 0; n < s.images; ++n) {
    for (std::int64_t f = 0; f < s.filters; ++f) {
      for (std::int64_t y = 0; y < s.out_height(); ++y) {
        for (std::int64_t x = 0; x < s.out_width(); ++x) {
          const std::int64_t out = ((n * s.filters + f) * s.out_height() + y) * s.out_width() + x;
          for (std::int64_t c = 0; c < s.channels; ++c) {
            for (std::int64_t k = 0; k < 9; ++k) {
              const std::int64_t iy = y - s.padding_y + k / 3;
              const std::int64_t ix = x - s.padding_x + k % 3;
              if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
              at(static_cast<std::size_t>(out),
                 static_cast<std::size_t>(((n * s.channels + c) * s.height + iy) * s.width + ix),
                 static_cast<std::size_t>((f * s.channels + c) * 9 + k));
            }
          }
        }
      }
    }
  }
}

// Errors are some ten times those of a float32 sum of that many products of numbers of size 1.
void expect_near(const Tensor& seen, const std::vector<double>& expected, double terms, const std::string& what) {
  const double tolerance = 3e-6 * std::sqrt(terms) + 1e-6;
  const float* data = seen.data<float>();
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(data[i] - expected[i]));
  EXPECT_LE(worst, tolerance) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_FALSE(std::isnan(data[i])) << what;
}

const WinogradSizes all_sizes[] = {
    {.images = 1, .channels = 16, .filters = 16, .height = 8, .width = 8, .padding_y = 1, .padding_x = 1},
    {.images = 2, .channels = 20, .filters = 17, .height = 7, .width = 9, .padding_y = 0, .padding_x = 1},
    {.images = 3, .channels = 5, .filters = 33, .height = 13, .width = 6, .padding_y = 2, .padding_x = 0},
    {.images = 1, .channels = 3, .filters = 2, .height = 3, .width = 3, .padding_y = 0, .padding_x = 0},
    {.images = 1, .channels = 1, .filters = 1, .height = 1, .width = 1, .padding_y = 2, .padding_x = 2},
    {.images = 1, .channels = 2, .filters = 3, .height = 5, .width = 300, .padding_y = 1, .padding_x = 1},
    {.images = 5, .channels = 40, .filters = 24, .height = 30, .width = 22, .padding_y = 1, .padding_x = 1},
};

std::string text_of(const WinogradSizes& s) {
  return Shape{s.images, s.channels, s.filters, s.height, s.width, s.padding_y, s.padding_x}.to_string();
}

TEST(Winograd, ForwardIsTheDirectSum) {
  Numbers numbers(91);
  for (const WinogradSizes& s : all_sizes) {
    const Tensor x = numbers.tensor<float>({s.images, s.channels, s.height, s.width});
    const Tensor weight = numbers.tensor<float>({s.filters, s.channels, 3, 3});
    const Tensor bias = numbers.tensor<float>({s.filters});
    const Tensor out = Tensor::full({s.images, s.filters, s.out_height(), s.out_width()}, NAN);
    cpu::winograd_forward(s, x.data<float>(), weight.data<float>(), bias.data<float>(), out.data<float>());
    std::vector<double> expected(static_cast<std::size_t>(out.numel()));
    const std::int64_t positions = s.out_height() * s.out_width();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = bias.data<float>()[static_cast<std::int64_t>(i) / positions % s.filters];
    }
    for_each_product(s, [&](std::size_t o, std::size_t i, std::size_t w) {
      expected[o] += static_cast<double>(x.data<float>()[i]) * weight.data<float>()[w];
    });
    expect_near(out, expected, 9.0 * static_cast<double>(s.channels), text_of(s));
    cpu::winograd_forward(s, x.data<float>(), weight.data<float>(), nullptr, out.data<float>());
    EXPECT_NEAR(out.data<float>()[0], expected[0] - bias.data<float>()[0], 1e-3);
  }
}

TEST(Winograd, InputGradientIsTheDirectSum) {
  Numbers numbers(92);
  for (const WinogradSizes& s : all_sizes) {
    const Tensor gradient = numbers.tensor<float>({s.images, s.filters, s.out_height(), s.out_width()});
    const Tensor weight = numbers.tensor<float>({s.filters, s.channels, 3, 3});
    const Tensor x_gradient = Tensor::full({s.images, s.channels, s.height, s.width}, NAN);
    cpu::winograd_input_gradient(s, x_gradient.data<float>(), gradient.data<float>(), weight.data<float>());
    std::vector<double> expected(static_cast<std::size_t>(x_gradient.numel()));
    for_each_product(s, [&](std::size_t o, std::size_t i, std::size_t w) {
      expected[i] += static_cast<double>(gradient.data<float>()[o]) * weight.data<float>()[w];
    });
    expect_near(x_gradient, expected, 9.0 * static_cast<double>(s.filters), text_of(s));
  }
}

TEST(Winograd, WeightGradientIsTheDirectSum) {
  Numbers numbers(93);
  for (const WinogradSizes& s : all_sizes) {
    const Tensor x = numbers.tensor<float>({s.images, s.channels, s.height, s.width});
    const Tensor gradient = numbers.tensor<float>({s.images, s.filters, s.out_height(), s.out_width()});
    const Tensor weight_gradient = Tensor::full({s.filters, s.channels, 3, 3}, NAN);
    cpu::winograd_weight_gradient(s, weight_gradient.data<float>(), x.data<float>(), gradient.data<float>());
    std::vector<double> expected(static_cast<std::size_t>(weight_gradient.numel()));
    for_each_product(s, [&](std::size_t o, std::size_t i, std::size_t w) {
      expected[w] += static_cast<double>(gradient.data<float>()[o]) * x.data<float>()[i];
    });
    expect_near(weight_gradient, expected, static_cast<double>(s.images * s.out_height() * s.out_width()),
                text_of(s));
  }
}

TEST(Winograd, PaysForManyChannelsAndTilesAlone) {
  WinogradSizes s{
      .images = 16, .channels = 64, .filters = 64, .height = 32, .width = 32, .padding_y = 1, .padding_x = 1};
  EXPECT_TRUE(cpu::winograd_pays(s));
  s.channels = 3;
  EXPECT_FALSE(cpu::winograd_pays(s));
  s = {.images = 1, .channels = 512, .filters = 512, .height = 7, .width = 7, .padding_y = 1, .padding_x = 1};
  EXPECT_FALSE(cpu::winograd_pays(s)) << "the filters' transform is most of the work";
  s.padding_y = 3;
  s.height = 64;
  EXPECT_FALSE(cpu::winograd_pays(s)) << "no gradient by a convolution with the padding that is left";
}

}  // namespace
}  // namespace feral
