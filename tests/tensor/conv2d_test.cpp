// Convolution and its two gradients against seven nested loops.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::at;
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

std::int64_t out_size(std::int64_t size, std::int64_t kernel, Conv2dGeometry geometry) {
  const std::int64_t room = size + 2 * geometry.padding - kernel;
  return room < 0 ? 0 : room / geometry.stride + 1;
}

// Calls visit(out index, x index, weight index), each a flat position, for every product of the convolution.
template <class Visit>
void for_each_product(const Tensor& x, const Tensor& weight, const Tensor& out, Conv2dGeometry geometry,
                      Visit&& visit) {
  const Shape& xs = x.shape();
  const Shape& ws = weight.shape();
  const Shape& os = out.shape();
  for (std::int64_t n = 0; n < os[0]; ++n) {
    for (std::int64_t f = 0; f < os[1]; ++f) {
      for (std::int64_t oy = 0; oy < os[2]; ++oy) {
        for (std::int64_t ox = 0; ox < os[3]; ++ox) {
          for (std::int64_t c = 0; c < xs[1]; ++c) {
            for (std::int64_t ky = 0; ky < ws[2]; ++ky) {
              for (std::int64_t kx = 0; kx < ws[3]; ++kx) {
                const std::int64_t y = oy * geometry.stride + ky - geometry.padding;
                const std::int64_t column = ox * geometry.stride + kx - geometry.padding;
                if (y < 0 || y >= xs[2] || column < 0 || column >= xs[3]) continue;
                visit(((n * os[1] + f) * os[2] + oy) * os[3] + ox, ((n * xs[1] + c) * xs[2] + y) * xs[3] + column,
                      ((f * ws[1] + c) * ws[2] + ky) * ws[3] + kx);
              }
            }
          }
        }
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
  void expect_agreement(const Case& c, Conv2dGeometry geometry, bool with_bias) {
    const std::int64_t height = out_size(c.height, c.kernel_height, geometry);
    const std::int64_t width = out_size(c.width, c.kernel_width, geometry);
    if (height < 1 || width < 1) return;
    ++looked_at;
    SCOPED_TRACE(testing::Message() << "stride " << geometry.stride << " padding " << geometry.padding << " image "
                                    << c.height << "x" << c.width << " kernel " << c.kernel_height << "x"
                                    << c.kernel_width);
    const Tensor x = numbers.tensor<T>({c.batch, c.channels, c.height, c.width});
    const Tensor weight = numbers.tensor<T>({c.filters, c.channels, c.kernel_height, c.kernel_width});
    const Tensor bias = with_bias ? numbers.tensor<T>({c.filters}) : Tensor();
    const Tensor gradient = numbers.tensor<T>({c.batch, c.filters, height, width});
    const Guarded<T> guarded_out(gradient.shape());
    const Guarded<T> guarded_x(x.shape());
    const Guarded<T> guarded_weight(weight.shape());
    const Tensor& out = guarded_out.tensor;
    const Tensor& x_gradient = guarded_x.tensor;
    const Tensor& weight_gradient = guarded_weight.tensor;
    cpu_kernels().conv2d(out, x, weight, bias, geometry);
    cpu_kernels().conv2d_input_gradient(x_gradient, gradient, weight, geometry);
    cpu_kernels().conv2d_weight_gradient(weight_gradient, x, gradient, geometry);

    Sums out_sums(out);
    Sums x_sums(x);
    Sums weight_sums(weight);
    for (std::int64_t i = 0; with_bias && i < out.numel(); ++i) {
      out_sums.add(i, bias.data<T>()[i / (height * width) % c.filters]);
    }
    for_each_product(x, weight, out, geometry, [&](std::int64_t to, std::int64_t from, std::int64_t tap) {
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
          this->expect_agreement({2, channels, height + kernel - 1, width + kernel - 1, filters, kernel, kernel},
                                 {}, filters % 2 == 0);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_EQ(this->looked_at, 3 * 11 * 4 * 7);
}

TYPED_TEST(Convolution, AgreesForABatchThatIsTakenInParts) {
  this->expect_agreement({7, 3, 28, 28, 6, 5, 5}, {}, true);
  this->expect_agreement({40, 1, 12, 12, 5, 5, 5}, {}, true);
}

TYPED_TEST(Convolution, AgreesWhereThePaddingIsWiderThanTheImage) {
  this->expect_agreement({1, 1, 2, 2, 2, 3, 3}, {.stride = 1, .padding = 5}, true);
  this->expect_agreement({1, 1, 2, 3, 2, 2, 3}, {.stride = 4, .padding = 6}, false);
}

TYPED_TEST(Convolution, WithoutFiltersGivesNothingAndNoGradient) {
  const Tensor x = this->numbers.template tensor<TypeParam>({1, 2, 4, 4});
  const Tensor weight = Tensor::empty({0, 2, 3, 3}, dtype_of<TypeParam>);
  const Tensor out = Tensor::empty({1, 0, 2, 2}, dtype_of<TypeParam>);
  cpu_kernels().conv2d(out, x, weight, {}, {});
  const Tensor x_gradient = Tensor::full(x.shape(), 3, dtype_of<TypeParam>);
  cpu_kernels().conv2d_input_gradient(x_gradient, out, weight, {});
  EXPECT_EQ(x_gradient.template to_vector<TypeParam>(), std::vector<TypeParam>(32, 0));
}

}  // namespace
}  // namespace feral
