// Convolution and its two gradients against nested loops.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <tuple>

#include "autograd/ops/convolution.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::cpu_kernels;
using testing_support::Numbers;

struct Case {
  std::int64_t batch, channels, height, width;
  std::int64_t filters, kernel_height, kernel_width;
};

// Square and not, a kernel as large as the image, widths around the vector lengths, one row, one column.
constexpr Case cases[] = {
    {2, 3, 7, 9, 4, 3, 2},   {1, 1, 5, 5, 1, 5, 5},  {3, 2, 6, 17, 2, 1, 1},
    {2, 1, 1, 33, 3, 1, 4},  {1, 2, 12, 1, 2, 3, 1}, {2, 2, 8, 40, 3, 3, 5},
    {1, 4, 11, 10, 2, 2, 7}, {0, 2, 5, 5, 3, 3, 3},  {2, 10, 12, 12, 20, 5, 5},
};

// Sizes of one dimension, or nothing but neutral numbers beyond the dimensions that a tensor has.
using Three = std::array<std::int64_t, 3>;
Three three(const Shape& shape, std::int64_t rest) {
  Three result = {rest, rest, rest};
  for (int i = 2; i < shape.dims(); ++i) result[static_cast<std::size_t>(i - 2)] = shape[i];
  return result;
}
Three three(const PerDim<3>& numbers, const Shape& shape, std::int64_t rest) {
  Three result = {rest, rest, rest};
  for (int i = 2; i < shape.dims(); ++i) result[static_cast<std::size_t>(i - 2)] = numbers[i - 2];
  return result;
}

std::int64_t out_size(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                      std::int64_t dilation) {
  const std::int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

template <class Visit>
void for_each_of(const Three& size, Visit&& visit) {
  for (std::int64_t a = 0; a < size[0]; ++a) {
    for (std::int64_t b = 0; b < size[1]; ++b) {
      for (std::int64_t c = 0; c < size[2]; ++c) visit(Three{a, b, c});
    }
  }
}

std::int64_t flat(const Three& at, const Three& size) { return (at[0] * size[1] + at[1]) * size[2] + at[2]; }

// Calls visit(out index, x index, weight index), each a flat position, for every product of the convolution.
template <class Visit>
void for_each_product(const Shape& xs, const Shape& ws, const Shape& os, const ConvGeometry& geometry,
                      Visit&& visit) {
  const Three size = three(xs, 1);
  const Three kernel = three(ws, 1);
  const Three out = three(os, 1);
  const Three stride = three(geometry.stride, xs, 1);
  const Three padding = three(geometry.padding, xs, 0);
  const Three dilation = three(geometry.dilation, xs, 1);
  const std::int64_t plane = size[0] * size[1] * size[2];
  const std::int64_t positions = out[0] * out[1] * out[2];
  const std::int64_t taps = kernel[0] * kernel[1] * kernel[2];
  const std::int64_t filters_a_group = ws[0] / geometry.groups;
  for (std::int64_t n = 0; n < os[0]; ++n) {
    for (std::int64_t f = 0; f < os[1]; ++f) {
      for (std::int64_t c = 0; c < ws[1]; ++c) {
        const std::int64_t channel = f / filters_a_group * ws[1] + c;
        for_each_of(out, [&](const Three& o) {
          for_each_of(kernel, [&](const Three& k) {
            Three at{};
            for (std::size_t i = 0; i < 3; ++i) {
              at[i] = o[i] * stride[i] + k[i] * dilation[i] - padding[i];
              if (at[i] < 0 || at[i] >= size[i]) return;
            }
            visit((n * os[1] + f) * positions + flat(o, out), (n * xs[1] + channel) * plane + flat(at, size),
                  (f * ws[1] + c) * taps + flat(k, kernel));
          });
        });
      }
    }
  }
}

// A sum of products in double, with what its rounding may be.
struct Sums {
  explicit Sums(const Tensor& like)
      : value(static_cast<std::size_t>(like.numel())), magnitude(value.size()), count(value.size()) {}
  void add(std::int64_t to, double product) {
    const auto i = static_cast<std::size_t>(to);
    value[i] += product;
    magnitude[i] += std::abs(product);
    ++count[i];
  }
  template <class T>
  void expect_equal(const Tensor& tensor, const char* what) const {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const double allowed = std::numeric_limits<T>::epsilon() * (count[i] + 1) * magnitude[i];
      ASSERT_NEAR(tensor.data<T>()[i], value[i], allowed) << what << " element " << i;
    }
  }
  std::vector<double> value;
  std::vector<double> magnitude;
  std::vector<int> count;
};

// A tensor of NaNs, so that what a kernel forgets to write shows, between guards that it must not touch.
template <class T>
class Guarded {
 public:
  explicit Guarded(const Shape& shape) : memory_(static_cast<std::size_t>(shape.numel()) + 2 * guard, T{77}) {
    tensor = Tensor::borrow(memory_.data() + guard, shape, dtype_of<T>);
    tensor.fill_(std::numeric_limits<double>::quiet_NaN());
  }
  void expect_guards(const char* what) const {
    for (std::size_t i = 0; i < guard; ++i) {
      ASSERT_EQ(memory_[i], T{77}) << what << " written before its start";
      ASSERT_EQ(memory_[memory_.size() - 1 - i], T{77}) << what << " written past its end";
    }
  }
  Tensor tensor;

 private:
  static constexpr std::size_t guard = 32;
  std::vector<T> memory_;
};

template <class T>
class Convolution : public testing::Test {
 protected:
  void expect_agreement(const Case& c, const ConvGeometry& geometry, bool with_bias) {
    expect_agreement(Shape{c.batch, c.channels, c.height, c.width},
                     Shape{c.filters, c.channels / geometry.groups, c.kernel_height, c.kernel_width}, geometry,
                     with_bias);
  }

  void expect_agreement(const Shape& x_shape, const Shape& weight_shape, const ConvGeometry& geometry,
                        bool with_bias) {
    Shape out_shape = {x_shape[0], weight_shape[0]};
    for (int i = 2; i < x_shape.dims(); ++i) {
      out_shape.push_back(out_size(x_shape[i], weight_shape[i], geometry.stride[i - 2], geometry.padding[i - 2],
                                   geometry.dilation[i - 2]));
      if (out_shape[i] < 1) return;
    }
    ++looked_at;
    SCOPED_TRACE(testing::Message() << "stride " << geometry.stride[0] << "," << geometry.stride[1] << " padding "
                                    << geometry.padding[0] << "," << geometry.padding[1] << " dilation "
                                    << geometry.dilation[0] << "," << geometry.dilation[1] << " groups "
                                    << geometry.groups << " image " << x_shape.to_string() << " kernel "
                                    << weight_shape.to_string());
    const Tensor x = numbers.tensor<T>(x_shape);
    const Tensor weight = numbers.tensor<T>(weight_shape);
    const Tensor bias = with_bias ? numbers.tensor<T>({weight_shape[0]}) : Tensor();
    const Tensor gradient = numbers.tensor<T>(out_shape);
    const Guarded<T> guarded_out(gradient.shape());
    const Guarded<T> guarded_x(x.shape());
    const Guarded<T> guarded_weight(weight.shape());
    const Tensor& out = guarded_out.tensor;
    const Tensor& x_gradient = guarded_x.tensor;
    const Tensor& weight_gradient = guarded_weight.tensor;
    cpu_kernels().convolution(out, x, weight, bias, geometry);
    cpu_kernels().convolution_input_gradient(x_gradient, gradient, weight, geometry);
    cpu_kernels().convolution_weight_gradient(weight_gradient, x, gradient, geometry);

    Sums out_sums(out);
    Sums x_sums(x);
    Sums weight_sums(weight);
    const std::int64_t filter_block = out.numel() / std::max<std::int64_t>(1, x_shape[0] * weight_shape[0]);
    for (std::int64_t i = 0; with_bias && i < out.numel(); ++i) {
      out_sums.add(i, bias.data<T>()[i / filter_block % weight_shape[0]]);
    }
    for_each_product(x_shape, weight_shape, out_shape, geometry,
                     [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
                       const double g = gradient.data<T>()[to];
                       const double value = x.data<T>()[from];
                       const double w = weight.data<T>()[tap];
                       out_sums.add(to, value * w);
                       x_sums.add(from, g * w);
                       weight_sums.add(tap, g * value);
                     });
    out_sums.expect_equal<T>(out, "output");
    x_sums.expect_equal<T>(x_gradient, "input gradient");
    weight_sums.expect_equal<T>(weight_gradient, "weight gradient");
    guarded_out.expect_guards("output");
    guarded_x.expect_guards("input gradient");
    guarded_weight.expect_guards("weight gradient");
  }

  Numbers numbers{41};
  int looked_at = 0;
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Convolution, FloatingTypes);

TYPED_TEST(Convolution, AgreesForAllStridesPaddingsAndSizes) {
  for (const Case& c : cases) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t padding : {0, 1, 2}) {
        for (const bool with_bias : {false, true}) {
          this->expect_agreement(c, {.stride = stride, .padding = padding}, with_bias);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GE(this->looked_at, 140);
}

TYPED_TEST(Convolution, AgreesInEveryShapeThatTheDirectKernelsTake) {
  // Stride 1 without padding: all remainders of columns by 16, pairs of rows of 8 and an odd one, and all
  // remainders of filters by the block of 5.
  for (const std::int64_t kernel : {1, 3, 5}) {
    for (const std::int64_t width : {7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48}) {
      for (const std::int64_t height : {1, 2, 3, 8}) {
        for (const std::int64_t filters : {1, 2, 3, 4, 5, 6, 11}) {
          const std::int64_t channels = filters % 3 + 1;
          this->expect_agreement(
              Case{2, channels, height + kernel - 1, width + kernel - 1, filters, kernel, kernel}, {},
              filters % 2 == 0);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_EQ(this->looked_at, 3 * 11 * 4 * 7);
}

TYPED_TEST(Convolution, AgreesForABatchThatIsTakenInParts) {
  this->expect_agreement(Case{7, 3, 28, 28, 6, 5, 5}, {}, true);
  this->expect_agreement(Case{40, 1, 12, 12, 5, 5, 5}, {}, true);
}

TYPED_TEST(Convolution, AgreesWhereThePaddingIsWiderThanTheImage) {
  this->expect_agreement(Case{1, 1, 2, 2, 2, 3, 3}, {.stride = 1, .padding = 5}, true);
  this->expect_agreement(Case{1, 1, 2, 3, 2, 2, 3}, {.stride = 4, .padding = 6}, false);
}

TYPED_TEST(Convolution, WithoutFiltersGivesNothingAndNoGradient) {
  const Tensor x = this->numbers.template tensor<TypeParam>({1, 2, 4, 4});
  const Tensor weight = Tensor::empty({0, 2, 3, 3}, dtype_of<TypeParam>);
  const Tensor out = Tensor::empty({1, 0, 2, 2}, dtype_of<TypeParam>);
  cpu_kernels().convolution(out, x, weight, {}, {});
  const Tensor x_gradient = Tensor::full(x.shape(), 3, dtype_of<TypeParam>);
  cpu_kernels().convolution_input_gradient(x_gradient, out, weight, {});
  EXPECT_EQ(x_gradient.template to_vector<TypeParam>(), std::vector<TypeParam>(32, 0));
}

TYPED_TEST(Convolution, AgreesForGroupsAndDilationsAndEachDimensionsOwnNumbers) {
  const PerDim<3> strides[] = {1, 2, PerDim<3>(2, 1, 1), PerDim<3>(1, 3, 1)};
  const PerDim<3> paddings[] = {0, PerDim<3>(2, 1, 0), PerDim<3>(0, 3, 0)};
  const PerDim<3> dilations[] = {1, 2, PerDim<3>(1, 3, 1)};
  // channels, filters, groups: the last three are depthwise.
  const Three divisions[] = {{4, 6, 2}, {6, 3, 3}, {3, 3, 1}, {3, 3, 3}, {4, 8, 4}, {2, 6, 2}};
  for (const PerDim<3>& stride : strides) {
    for (const PerDim<3>& padding : paddings) {
      for (const PerDim<3>& dilation : dilations) {
        for (const auto& [channels, filters, groups] : divisions) {
          for (const auto& [height, width] : {std::tuple{9, 7}, std::tuple{5, 21}, std::tuple{1, 1}}) {
            this->expect_agreement(Case{2, channels, height, width, filters, 3, 2},
                                   {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups},
                                   groups % 2 == 0);
            if (this->HasFatalFailure()) return;
          }
        }
      }
    }
  }
  EXPECT_GE(this->looked_at, 300);
}

TYPED_TEST(Convolution, AgreesInOneAndThreeDimensions) {
  for (const std::int64_t stride : {1, 2}) {
    for (const std::int64_t padding : {0, 1, 3}) {
      for (const std::int64_t dilation : {1, 2}) {
        for (const std::int64_t groups : {1, 2, 4}) {
          const ConvGeometry geometry = {
              .stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
          this->expect_agreement({2, 4, 19}, {8, 4 / groups, 3}, geometry, true);
          this->expect_agreement({1, 4, 1}, {4, 4 / groups, 1}, geometry, false);
          this->expect_agreement({2, 4, 4, 3, 9}, {4, 4 / groups, 2, 3, 2}, geometry, true);
          this->expect_agreement({1, 4, 3, 5, 6}, {8, 4 / groups, 1, 1, 1}, geometry, false);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
  this->expect_agreement({1, 2, 5, 6, 7}, {2, 2, 3, 2, 1},
                         {.stride = {2, 1, 3}, .padding = {1, 0, 2}, .dilation = {1, 2, 1}}, true);
  EXPECT_GE(this->looked_at, 100);
}

TYPED_TEST(Convolution, AgreesWhereTheColumnsAreTakenInParts) {
  this->expect_agreement(Case{1, 16, 40, 41, 3, 3, 3}, {.stride = 1, .padding = 1}, true);
  this->expect_agreement(Case{1, 70, 24, 24, 4, 3, 3}, {.stride = 1, .padding = 2, .dilation = 2}, true);
}

TYPED_TEST(Convolution, AgreesWithEnoughChannelsAndFiltersForThePackedKernels) {
  // Around the tiles' 13 rows and 16 filters a vector; widths of which several rows make a vector.
  for (const std::int64_t kernel : {1, 2, 3, 5, 7}) {
    for (const auto& [height, width] :
         {std::tuple{7, 7}, std::tuple{9, 1}, std::tuple{1, 35}, std::tuple{8, 16}, std::tuple{13, 14}}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t padding : {std::int64_t{0}, kernel / 2, kernel + 1}) {
          const std::int64_t filters = 16 + (height * kernel + stride) % 9;
          const std::int64_t channels = 16 + (width + 3 * kernel + padding) % 4;
          this->expect_agreement(
              Case{3, channels, height, width, filters, std::min<std::int64_t>(kernel, 3), kernel},
              {.stride = stride, .padding = padding}, kernel % 2 == 0);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
  // More channels × taps than a block, more positions than a block's panels, more filters than a tile.
  this->expect_agreement(Case{1, 40, 6, 5, 70, 3, 3}, {.stride = 1, .padding = 1}, true);
  this->expect_agreement(Case{2, 17, 27, 25, 33, 3, 3}, {.stride = {1, 2, 1}, .padding = {1, 0, 0}}, true);
  this->expect_agreement(Case{2, 300, 4, 4, 20, 1, 1}, {.stride = 2}, true);
  this->expect_agreement(Case{2, 32, 9, 8, 48, 3, 3}, {.stride = 1, .padding = 2, .dilation = 2, .groups = 2},
                         true);
  this->expect_agreement(Case{2, 64, 7, 9, 32, 3, 3},
                         {.stride = 2, .padding = 1, .dilation = {2, 1, 1}, .groups = 2}, false);
  this->expect_agreement({2, 16, 3, 5, 6}, {18, 16, 2, 3, 3}, {.stride = 1, .padding = 1}, true);
  this->expect_agreement({2, 16, 5, 4, 6}, {18, 16, 3, 1, 5},
                         {.stride = {2, 1, 2}, .padding = {1, 0, 2}, .dilation = {2, 1, 1}}, true);
  this->expect_agreement({3, 16, 50}, {20, 16, 7}, {.stride = 2, .padding = 3}, true);
  EXPECT_GE(this->looked_at, 180);
}

TEST(ConvolutionFunctions, TransposedIsTheInputGradient) {
  Numbers numbers(5);
  const Tensor x = numbers.tensor<double>({2, 4, 3, 4});
  const Tensor weight = numbers.tensor<double>({4, 3, 3, 2});
  const Tensor bias = numbers.tensor<double>({6});
  const ConvTransposeOptions<2> options = {
      .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2, .dilation = {2, 1}};
  const Tensor y = conv_transpose2d(x, weight, bias, options);
  ASSERT_EQ(y.shape(), (Shape{2, 6, 2 * 2 - 2 + 4 + 1 + 1, 3 * 3 + 1 + 2 + 1}));
  const ConvGeometry geometry = {.stride = {2, 3, 1}, .padding = {1, 0, 0}, .dilation = {2, 1, 1}, .groups = 2};
  std::vector<double> expected(static_cast<std::size_t>(y.numel()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = bias.data<double>()[static_cast<std::int64_t>(i) / (y.size(2) * y.size(3)) % 6];
  }
  for_each_product(y.shape(), weight.shape(), x.shape(), geometry,
                   [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
                     expected[static_cast<std::size_t>(from)] += x.data<double>()[to] * weight.data<double>()[tap];
                   });
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(y.data<double>()[i], expected[i], 1e-12) << i;
}

TEST(ConvolutionFunctions, OfEveryDimensionGiveTheNumbersOfPyTorch) {
  const auto ramp = [](const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return Tensor::from_vector(values, shape);
  };
  EXPECT_EQ(conv1d(ramp({1, 1, 5}), ramp({1, 1, 2}), Tensor::ones({1}), {.stride = 2, .padding = 1, .dilation = 3})
                .to_vector<float>(),
            (std::vector<float>{3, 5}));
  EXPECT_EQ(conv_transpose1d(ramp({1, 1, 3}), ramp({1, 1, 3}), {}, {.stride = 2, .padding = 1, .output_padding = 1})
                .to_vector<float>(),
            (std::vector<float>{0, 0, 1, 2, 2, 4}));
  EXPECT_EQ(conv3d(ramp({1, 1, 2, 2, 2}), ramp({1, 1, 2, 1, 2})).to_vector<float>(), (std::vector<float>{24, 36}));
  EXPECT_EQ(conv_transpose3d(ramp({1, 1, 1, 1, 2}), ramp({1, 1, 1, 2, 2})).to_vector<float>(),
            (std::vector<float>{0, 0, 1, 0, 2, 3}));
}

TEST(ConvolutionFunctions, SixteenBitFloatsComeBack) {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const Tensor y =
        conv2d(Tensor::ones({1, 2, 3, 3}, dtype), Tensor::ones({1, 2, 2, 2}, dtype), Tensor::ones({1}, dtype));
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(y.to_vector<double>(), (std::vector<double>{9, 9, 9, 9}));
    EXPECT_EQ(conv_transpose1d(Tensor::ones({1, 1, 1}, dtype), Tensor::ones({1, 1, 2}, dtype)).dtype(), dtype);
  }
}

TEST(ConvolutionFunctions, ANaNReachesWhatReadsItAndNothingElse) {
  Tensor x = Tensor::zeros({1, 1, 20});
  x.data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> y = conv1d(x, Tensor::zeros({1, 1, 3})).to_vector<float>();
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i >= 1 && i <= 3) << i;
}

}  // namespace
}  // namespace feral
