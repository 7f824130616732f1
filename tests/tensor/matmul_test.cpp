// Matrix products and row fills against index-by-index twins.
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
using testing_support::sweep_sizes;

template <class T>
class Matmul : public testing::Test {
 protected:
  Numbers numbers{31};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Matmul, FloatingTypes);

// out = a × b plus `start` in every element when accumulating.
template <class T>
void expect_product(const Tensor& a, const Tensor& b, bool accumulate) {
  const std::int64_t m = a.shape()[0];
  const std::int64_t k = a.shape()[1];
  const std::int64_t n = b.shape()[1];
  // What lies in `out` must not matter without accumulate, not even a NaN.
  const double before = accumulate ? 0.75 : std::numeric_limits<double>::quiet_NaN();
  const Tensor out = Tensor::full({m, n}, before, dtype_of<T>);
  cpu_kernels().matmul(out, a, b, accumulate);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? before : 0;
      double magnitude = std::abs(sum);
      for (std::int64_t l = 0; l < k; ++l) {
        const double product = static_cast<double>(at<T>(a, i, l)) * static_cast<double>(at<T>(b, l, j));
        sum += product;
        magnitude += std::abs(product);
      }
      const double allowed = std::numeric_limits<T>::epsilon() * static_cast<double>(k + 1) * magnitude;
      ASSERT_NEAR(at<T>(out, i, j), sum, allowed) << m << "x" << k << "x" << n << " at " << i << ", " << j;
    }
  }
}

TYPED_TEST(Matmul, AgreesForEverySizeOfEveryDimension) {
  for (const std::int64_t size : sweep_sizes) {
    for (const bool accumulate : {false, true}) {
      for (const auto& [m, k, n] :
           {std::array{size, std::int64_t{5}, std::int64_t{4}}, std::array{std::int64_t{4}, size, std::int64_t{3}},
            std::array{std::int64_t{3}, std::int64_t{6}, size}, std::array{size, size, size}}) {
        expect_product<TypeParam>(this->numbers.template tensor<TypeParam>({m, k}),
                                  this->numbers.template tensor<TypeParam>({k, n}), accumulate);
      }
    }
  }
}

TYPED_TEST(Matmul, AgreesInEveryPairOfLayouts) {
  for (const std::int64_t m : {1, 2, 7}) {
    for (const std::int64_t k : {1, 3, 17}) {
      for (const std::int64_t n : {1, 2, 9}) {
        for (const Layout left : all_layouts) {
          for (const Layout right : all_layouts) {
            expect_product<TypeParam>(this->numbers.template matrix<TypeParam>(m, k, left),
                                      this->numbers.template matrix<TypeParam>(k, n, right), false);
          }
        }
      }
    }
  }
}

TYPED_TEST(Matmul, AnEmptySumIsZeroOrWhatWasThere) {
  const Tensor a = Tensor::empty({2, 0}, dtype_of<TypeParam>);
  const Tensor b = Tensor::empty({0, 3}, dtype_of<TypeParam>);
  const Tensor out = Tensor::full({2, 3}, 4, dtype_of<TypeParam>);
  cpu_kernels().matmul(out, a, b, true);
  EXPECT_EQ(out.template to_vector<TypeParam>(), std::vector<TypeParam>(6, 4));
  cpu_kernels().matmul(out, a, b, false);
  EXPECT_EQ(out.template to_vector<TypeParam>(), std::vector<TypeParam>(6, 0));
}

TYPED_TEST(Matmul, FillRowsRepeatsTheRow) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor row = this->numbers.template tensor<TypeParam>({n});
    for (const std::int64_t rows : {0, 1, 3}) {
      const Tensor out = Tensor::empty({rows, n}, dtype_of<TypeParam>);
      cpu_kernels().fill_rows(out, row);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < n; ++j) ASSERT_EQ(at<TypeParam>(out, i, j), row.data<TypeParam>()[j]);
      }
    }
  }
}

}  // namespace
}  // namespace feral
