// Max-pooling, its scatter and its gather against index-by-index twins.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::at;
using testing_support::cpu_kernels;
using testing_support::Numbers;

constexpr Pool2dGeometry geometries[] = {{2, 2}, {2, 1}, {2, 3}, {3, 3}, {3, 2}, {3, 1}, {1, 1}, {1, 2}, {4, 3}};

template <class T>
class Pooling : public testing::Test {
 protected:
  // Compares all three kernels on x; out must be exactly one of x's elements.
  static void expect_agreement(const Tensor& x, Pool2dGeometry geometry, Numbers& numbers) {
    const Shape& s = x.shape();
    const std::int64_t height = (s[2] - geometry.kernel) / geometry.stride + 1;
    const std::int64_t width = (s[3] - geometry.kernel) / geometry.stride + 1;
    SCOPED_TRACE(testing::Message() << "kernel " << geometry.kernel << " stride " << geometry.stride << " image "
                                    << s[2] << "x" << s[3]);
    const Tensor out = Tensor::full({s[0], s[1], height, width}, 1234, dtype_of<T>);
    const Tensor window = Tensor::full(out.shape(), 255, DType::uint8);
    cpu_kernels().max_pool2d(out, window, x, geometry);
    const Tensor alone = Tensor::full(out.shape(), 1234, dtype_of<T>);
    cpu_kernels().max_pool2d(alone, {}, x, geometry);

    const Tensor gradient = numbers.tensor<T>(out.shape());
    const Tensor x_gradient = Tensor::full(s, 99, dtype_of<T>);
    cpu_kernels().max_pool2d_scatter(x_gradient, gradient, window, geometry);
    const Tensor other = numbers.tensor<T>(s);
    const Tensor gathered = Tensor::full(out.shape(), 99, dtype_of<T>);
    cpu_kernels().max_pool2d_gather(gathered, other, window, geometry);

    std::vector<double> expected_gradient(static_cast<std::size_t>(x.numel()));
    std::vector<int> terms(expected_gradient.size());
    for (std::int64_t n = 0; n < s[0]; ++n) {
      for (std::int64_t c = 0; c < s[1]; ++c) {
        for (std::int64_t oy = 0; oy < height; ++oy) {
          for (std::int64_t ox = 0; ox < width; ++ox) {
            std::int64_t best = 0;
            const auto value = [&](std::int64_t where) {
              return at<T>(x, n, c, oy * geometry.stride + where / geometry.kernel,
                           ox * geometry.stride + where % geometry.kernel);
            };
            for (std::int64_t where = 1; where < geometry.kernel * geometry.kernel; ++where) {
              if (std::isnan(value(best))) break;
              if (value(where) > value(best) || std::isnan(value(where))) best = where;
            }
            ASSERT_EQ(at<std::uint8_t>(window, n, c, oy, ox), best) << oy << ", " << ox;
            if (std::isnan(value(best))) {
              ASSERT_TRUE(std::isnan(at<T>(out, n, c, oy, ox)));
              ASSERT_TRUE(std::isnan(at<T>(alone, n, c, oy, ox)));
            } else {
              ASSERT_EQ(at<T>(out, n, c, oy, ox), value(best));
              ASSERT_EQ(at<T>(alone, n, c, oy, ox), value(best));
            }
            const std::int64_t y = oy * geometry.stride + best / geometry.kernel;
            const std::int64_t column = ox * geometry.stride + best % geometry.kernel;
            ASSERT_EQ(at<T>(gathered, n, c, oy, ox), at<T>(other, n, c, y, column));
            const auto flat = static_cast<std::size_t>(((n * s[1] + c) * s[2] + y) * s[3] + column);
            expected_gradient[flat] += at<T>(gradient, n, c, oy, ox);
            ++terms[flat];
          }
        }
      }
    }
    for (std::size_t i = 0; i < expected_gradient.size(); ++i) {
      const double allowed = terms[i] < 2 ? 0 : std::numeric_limits<T>::epsilon() * terms[i] * terms[i];
      ASSERT_NEAR(x_gradient.data<T>()[i], expected_gradient[i], allowed) << i;
    }
  }

  Numbers numbers{51};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Pooling, FloatingTypes);

TYPED_TEST(Pooling, AgreesForAllWindowsAndSizes) {
  for (const Pool2dGeometry geometry : geometries) {
    for (const std::int64_t height : {4, 5, 8}) {
      for (const std::int64_t width : {4, 5, 7, 8, 9, 16, 17, 33}) {
        this->expect_agreement(this->numbers.template tensor<TypeParam>({2, 3, height, width}), geometry,
                               this->numbers);
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(Pooling, TheFirstOfEqualsWins) {
  // Three values only, so that most windows have ties.
  for (const Pool2dGeometry geometry : geometries) {
    const Tensor x = this->numbers.template tensor<std::int32_t>({2, 2, 6, 18}, 0, 3).to(dtype_of<TypeParam>);
    this->expect_agreement(x, geometry, this->numbers);
  }
  this->expect_agreement(Tensor::zeros({1, 1, 4, 16}, dtype_of<TypeParam>), {2, 2}, this->numbers);
}

TYPED_TEST(Pooling, ANaNWinsWhereverItStands) {
  for (const Pool2dGeometry geometry : geometries) {
    for (int repetition = 0; repetition < 8; ++repetition) {
      const Tensor x = this->numbers.template tensor<TypeParam>({1, 2, 5, 16});
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        if (this->numbers.next(0, 1) < 0.2) x.data<TypeParam>()[i] = std::numeric_limits<TypeParam>::quiet_NaN();
      }
      this->expect_agreement(x, geometry, this->numbers);
    }
  }
}

TYPED_TEST(Pooling, NegativeInfinityIsAMaximumLikeAnyOther) {
  const Tensor x = Tensor::full({1, 1, 4, 10}, -std::numeric_limits<double>::infinity(), dtype_of<TypeParam>);
  for (const Pool2dGeometry geometry : geometries) this->expect_agreement(x, geometry, this->numbers);
}

TYPED_TEST(Pooling, TheLargestWindowStillFitsItsPosition) {
  Tensor x = Tensor::zeros({1, 1, 16, 16}, dtype_of<TypeParam>);
  x.narrow(2, 15, 1).narrow(3, 15, 1).fill_(1);
  this->expect_agreement(x, {16, 16}, this->numbers);
}

}  // namespace
}  // namespace feral
