// Running sums and products, and softmax along any dimension, against twins that go index by index.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::at;
using testing_support::cpu_kernels;
using testing_support::Layout;
using testing_support::Numbers;

template <class T>
class Scan : public testing::Test {
 protected:
  Numbers numbers{17};
};
using ScannedTypes =
    testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::int16_t>;
TYPED_TEST_SUITE(Scan, ScannedTypes);

TYPED_TEST(Scan, RunsAlongBothDimensionsInBothDirectionsInEveryLayout) {
  using T = TypeParam;
  constexpr DType result_type = is_floating(dtype_of<T>) ? dtype_of<T> : DType::int64;
  for (const std::int64_t size : {0, 1, 3, 8, 17, 300}) {
    for (const Layout layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<T>(5, size, layout, 0, 3);
      for (const int dim : {0, 1}) {
        for (const bool reverse : {false, true}) {
          const Tensor sums = Tensor::empty(x.shape(), result_type);
          const Tensor products = Tensor::empty(x.shape(), result_type);
          cpu_kernels().scan(ScanKernel::sum, sums, x, dim, reverse);
          cpu_kernels().scan(ScanKernel::prod, products, x, dim, reverse);
          const std::int64_t length = x.shape()[dim];
          const auto sum_values = sums.to_vector<double>();
          const auto product_values = products.to_vector<double>();
          for (std::int64_t line = 0; line < x.shape()[1 - dim]; ++line) {
            double sum = 0;
            double product = 1;
            for (std::int64_t k = 0; k < length; ++k) {
              const std::int64_t i = reverse ? length - 1 - k : k;
              const std::int64_t row = dim == 0 ? i : line;
              const std::int64_t column = dim == 0 ? line : i;
              sum += static_cast<double>(at<T>(x, row, column));
              product *= static_cast<double>(at<T>(x, row, column));
              const auto place = static_cast<std::size_t>(row * size + column);
              ASSERT_NEAR(sum_values[place], sum, 1e-6 * sum) << dim << reverse;
              if (product < 1e15) {
                ASSERT_NEAR(product_values[place], product, 1e-6 * product + 1e-40) << dim << reverse;
              }
            }
          }
        }
      }
    }
  }
}

TEST(ScanOfBool, Counts) {
  const Tensor x = Tensor::from_vector<float>({1, 0, 1, 1}, {4}).to(DType::boolean);
  EXPECT_EQ(x.cumsum(0).dtype(), DType::int64);
  EXPECT_EQ(x.cumsum(0).to_vector<float>(), (std::vector<float>{1, 1, 2, 3}));
  EXPECT_EQ(x.cumprod(0).to_vector<float>(), (std::vector<float>{1, 0, 0, 0}));
}

TEST(ScanOfHalves, IsOfTheirType) {
  const Tensor x = Tensor::from_vector<float>({1, 2, 3}, {3});
  for (const DType type : {DType::float16, DType::bfloat16}) {
    EXPECT_EQ(x.to(type).cumsum(0).dtype(), type);
    EXPECT_EQ(x.to(type).cumsum(0).to_vector<float>(), (std::vector<float>{1, 3, 6}));
    EXPECT_EQ(x.to(type).cumprod(0).to_vector<float>(), (std::vector<float>{1, 2, 6}));
    EXPECT_EQ(x.to(type).softmax(0).dtype(), type);
  }
}

TEST(ScanRecurrence, RunsBothWays) {
  const Tensor a = Tensor::from_vector<float>({5, 2, 3}, {3});
  const Tensor b = Tensor::from_vector<float>({1, 1, 4}, {3});
  const Tensor out = Tensor::empty({3});
  cpu_kernels().recurrence(out, a, b, 0, false);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{1, 3, 13}));
  cpu_kernels().recurrence(out, a, b, 0, true);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{46, 9, 4}));
}

template <class T>
class SoftmaxAlong : public testing::Test {
 protected:
  Numbers numbers{19};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxAlong, FloatingTypes);

TYPED_TEST(SoftmaxAlong, AgreesAlongBothDimensionsInEveryLayout) {
  using T = TypeParam;
  const double epsilon = std::numeric_limits<T>::epsilon();
  for (const std::int64_t size : {1, 2, 3, 7, 16, 17, 33, 300}) {
    for (const Layout layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<T>(7, size, layout, -8, 8);
      for (const int dim : {0, 1}) {
        const Tensor y = x.softmax(dim);
        const Tensor logarithm = x.log_softmax(dim);
        ASSERT_TRUE(y.is_contiguous());
        for (std::int64_t line = 0; line < x.shape()[1 - dim]; ++line) {
          const auto element = [&](const Tensor& tensor, std::int64_t i) {
            return static_cast<double>(dim == 0 ? at<T>(tensor, i, line) : at<T>(tensor, line, i));
          };
          double sum = 0;
          for (std::int64_t i = 0; i < x.shape()[dim]; ++i) sum += std::exp(element(x, i));
          for (std::int64_t i = 0; i < x.shape()[dim]; ++i) {
            const double expected = std::exp(element(x, i)) / sum;
            ASSERT_NEAR(element(y, i), expected, 64 * epsilon * expected) << dim << " " << i;
            ASSERT_NEAR(element(logarithm, i), std::log(expected), 64 * epsilon * (1 - std::log(expected)));
          }
        }
      }
    }
  }
}

TYPED_TEST(SoftmaxAlong, ALineWithANaNOrInfinityIsNaNAndNoOther) {
  using T = TypeParam;
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  constexpr T inf = std::numeric_limits<T>::infinity();
  const Tensor x = Tensor::from_vector<T>({1, nan, 2,         //
                                           1, inf, 2,         //
                                           -inf, -inf, -inf,  //
                                           -inf, 0, -inf,     //
                                           1e4, -1e4, 0},
                                          {5, 3});
  for (const Tensor& lines : {x, x.transpose(0, 1).contiguous().transpose(0, 1)}) {
    for (const bool logarithm : {false, true}) {
      const auto y = (logarithm ? lines.log_softmax(1) : lines.softmax(1)).template to_vector<T>();
      for (std::size_t i = 0; i < 9; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
      const std::vector<T> rest(y.begin() + 9, y.end());
      EXPECT_EQ(rest,
                logarithm ? (std::vector<T>{-inf, 0, -inf, 0, -2e4, -1e4}) : (std::vector<T>{0, 1, 0, 1, 0, 0}));
    }
  }
}

TYPED_TEST(SoftmaxAlong, AMiddleDimension) {
  using T = TypeParam;
  const Tensor x = this->numbers.template tensor<T>({3, 4, 5}, -2, 2);
  const Tensor y = x.softmax(1);
  const Tensor twin = x.transpose(1, 2).contiguous().softmax(2).transpose(1, 2);
  const auto a = y.template to_vector<double>();
  const auto b = twin.template to_vector<double>();
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6);
}

}  // namespace
}  // namespace feral
