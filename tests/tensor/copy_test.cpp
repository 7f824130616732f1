// Copies, conversions and fills against index-by-index twins.
#include <gtest/gtest.h>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::at;
using testing_support::cpu_kernels;
using testing_support::Layout;
using testing_support::Numbers;
using testing_support::sweep_sizes;

// [3, n] of any type in a layout: numbers that every type holds.
template <class T>
Tensor matrix_of(Numbers& numbers, std::int64_t n, Layout layout) {
  return numbers.matrix<T>(3, n, layout, 0, 200);
}

template <class To, class From>
void expect_conversion(Numbers& numbers) {
  for (const std::int64_t n : sweep_sizes) {
    for (const Layout layout : all_layouts) {
      const Tensor x = matrix_of<From>(numbers, n, layout);
      const Tensor out = Tensor::empty({3, n}, dtype_of<To>);
      const Tensor strided = Tensor::empty({n, 3}, dtype_of<To>).transpose(0, 1);
      cpu_kernels().copy(out, x);
      cpu_kernels().copy(strided, x);
      for (std::int64_t i = 0; i < 3; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          ASSERT_EQ(at<To>(out, i, j), static_cast<To>(at<From>(x, i, j)));
          ASSERT_EQ(at<To>(strided, i, j), static_cast<To>(at<From>(x, i, j)));
        }
      }
    }
  }
}

template <class From>
class Conversion : public testing::Test {};
using AllTypes = testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(Conversion, AllTypes);

TYPED_TEST(Conversion, ReachesEveryTypeInEveryLayout) {
  Numbers numbers(3);
  expect_conversion<float, TypeParam>(numbers);
  expect_conversion<double, TypeParam>(numbers);
  expect_conversion<std::int32_t, TypeParam>(numbers);
  expect_conversion<std::int64_t, TypeParam>(numbers);
  expect_conversion<std::uint8_t, TypeParam>(numbers);
}

TEST(Copy, IntegersAboveTheFloatRangeKeepTheirLowBits) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const Tensor x = Tensor::from_vector(std::vector<std::int64_t>{large, -large}, {2});
  const Tensor out = Tensor::empty({2}, DType::int64);
  cpu_kernels().copy(out, x);
  EXPECT_EQ(out.to_vector<std::int64_t>(), (std::vector<std::int64_t>{large, -large}));
}

TEST(Copy, WalksUpToEightDimensions) {
  Numbers numbers(4);
  const Tensor base = numbers.tensor<float>({2, 3, 1, 2, 3, 2, 1, 2});
  const Tensor x = base.transpose(0, 7).transpose(1, 5).transpose(3, 4);
  const Tensor out = Tensor::empty(x.shape());
  cpu_kernels().copy(out, x);
  std::int64_t index[8] = {};
  for (std::int64_t flat = 0; flat < x.numel(); ++flat) {
    std::int64_t rest = flat;
    std::int64_t offset = 0;
    for (int dim = 7; dim >= 0; --dim) {
      index[dim] = rest % x.shape()[dim];
      rest /= x.shape()[dim];
      offset += index[dim] * x.strides()[dim];
    }
    ASSERT_EQ(out.data<float>()[flat], x.data<float>()[offset]) << flat;
  }
}

TEST(Copy, LeavesTheGapsOfAStridedTargetAlone) {
  const Tensor base = Tensor::full({5, 7}, 9);
  cpu_kernels().copy(base.narrow(0, 1, 2).narrow(1, 3, 3), Tensor::zeros({2, 3}));
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t j = 0; j < 7; ++j) {
      const bool inside = i >= 1 && i < 3 && j >= 3 && j < 6;
      EXPECT_EQ(at<float>(base, i, j), inside ? 0 : 9) << i << ", " << j;
    }
  }
}

TYPED_TEST(Conversion, FillReachesEveryElementOfEveryType) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor base = Tensor::zeros({n, 4}, dtype_of<TypeParam>);
    cpu_kernels().fill(base.narrow(1, 1, 2), 42);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < 4; ++j) {
        ASSERT_EQ(at<TypeParam>(base, i, j), static_cast<TypeParam>(j == 1 || j == 2 ? 42 : 0));
      }
    }
  }
}

}  // namespace
}  // namespace feral
