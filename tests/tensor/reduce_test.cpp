// sum_to and argmax against index-by-index twins.
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
class Reduce : public testing::Test {
 protected:
  Numbers numbers{21};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Reduce, FloatingTypes);

// The rounding of a sum of `count` terms whose absolute values add up to `magnitude`.
template <class T>
double allowed(std::int64_t count, double magnitude) {
  return static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(count) * magnitude;
}

// x summed over rows, over columns and over both, into outputs that x broadcasts from.
template <class T>
void expect_sums(const Tensor& x) {
  const std::int64_t rows = x.shape()[0];
  const std::int64_t columns = x.shape()[1];
  const Tensor all = Tensor::full({}, 99, dtype_of<T>);
  const Tensor by_column = Tensor::full({columns}, 99, dtype_of<T>);
  const Tensor by_row = Tensor::full({rows, 1}, 99, dtype_of<T>);
  const Tensor same = Tensor::full({rows, columns}, 99, dtype_of<T>);
  for (const Tensor* out : {&all, &by_column, &by_row, &same}) cpu_kernels().sum_to(*out, x);
  std::vector<long double> column_sums(static_cast<std::size_t>(columns));
  long double total = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    long double row_sum = 0;
    for (std::int64_t j = 0; j < columns; ++j) {
      const T value = at<T>(x, i, j);
      ASSERT_EQ(at<T>(same, i, j), value);
      row_sum += value;
      column_sums[static_cast<std::size_t>(j)] += value;
    }
    total += row_sum;
    ASSERT_NEAR(by_row.data<T>()[i], static_cast<double>(row_sum), allowed<T>(columns, 1.0 * columns)) << i;
  }
  for (std::int64_t j = 0; j < columns; ++j) {
    const auto sum = static_cast<double>(column_sums[static_cast<std::size_t>(j)]);
    ASSERT_NEAR(by_column.data<T>()[j], sum, allowed<T>(rows, 1.0 * rows)) << j;
  }
  ASSERT_NEAR(all.item(), static_cast<double>(total), allowed<T>(x.numel(), 1.0 * x.numel()));
}

TYPED_TEST(Reduce, SumsAgreeInEveryLayout) {
  for (const std::int64_t n : sweep_sizes) {
    for (const Layout layout : all_layouts) {
      expect_sums<TypeParam>(this->numbers.template matrix<TypeParam>(3, n, layout));
      expect_sums<TypeParam>(this->numbers.template matrix<TypeParam>(n, 5, layout));
    }
  }
}

TYPED_TEST(Reduce, SumsOverMiddleAndOuterDimensions) {
  const Tensor x = this->numbers.template tensor<TypeParam>({3, 4, 5, 2});
  const Tensor middle = Tensor::empty({3, 1, 1, 2}, dtype_of<TypeParam>);
  const Tensor outer = Tensor::empty({4, 1, 2}, dtype_of<TypeParam>);
  cpu_kernels().sum_to(middle, x);
  cpu_kernels().sum_to(outer, x);
  std::vector<double> middle_sums(6);
  std::vector<double> outer_sums(8);
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 4; ++b) {
      for (std::int64_t c = 0; c < 5; ++c) {
        for (std::int64_t e = 0; e < 2; ++e) {
          middle_sums[static_cast<std::size_t>(a * 2 + e)] += at<TypeParam>(x, a, b, c, e);
          outer_sums[static_cast<std::size_t>(b * 2 + e)] += at<TypeParam>(x, a, b, c, e);
        }
      }
    }
  }
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(middle.data<TypeParam>()[i], middle_sums[i], allowed<TypeParam>(20, 20));
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(outer.data<TypeParam>()[i], outer_sums[i], allowed<TypeParam>(15, 15));
}

TYPED_TEST(Reduce, ALongSumStaysAccurate) {
  // One addition after another in float32 would be off by hundreds.
  constexpr std::int64_t n = 5'000'003;
  const Tensor x = Tensor::full({n}, 1.1, dtype_of<TypeParam>);
  const Tensor out = Tensor::empty({}, dtype_of<TypeParam>);
  cpu_kernels().sum_to(out, x);
  const double expected = static_cast<double>(n) * static_cast<double>(static_cast<TypeParam>(1.1));
  EXPECT_NEAR(out.item(), expected, 64 * std::numeric_limits<TypeParam>::epsilon() * expected);
}

TYPED_TEST(Reduce, SumsOfNothingAreZero) {
  const Tensor out = Tensor::full({2, 1}, 5, dtype_of<TypeParam>);
  cpu_kernels().sum_to(out, Tensor::empty({2, 0}, dtype_of<TypeParam>));
  EXPECT_EQ(out.template to_vector<TypeParam>(), (std::vector<TypeParam>{0, 0}));
}

template <class T>
bool beats(T challenger, T holder) {
  if (std::isnan(static_cast<double>(holder))) return false;
  return std::isnan(static_cast<double>(challenger)) || challenger > holder;
}

template <class T>
void expect_argmax(const Tensor& x) {
  const std::int64_t rows = x.shape()[0];
  const std::int64_t columns = x.shape()[1];
  if (columns > 0) {
    const Tensor out = Tensor::full({rows}, -1, DType::int64);
    cpu_kernels().argmax(out, x, 1);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::int64_t best = 0;
      for (std::int64_t j = 1; j < columns; ++j) best = beats(at<T>(x, i, j), at<T>(x, i, best)) ? j : best;
      ASSERT_EQ(out.data<std::int64_t>()[i], best) << i;
    }
  }
  if (rows > 0) {
    const Tensor out = Tensor::full({columns}, -1, DType::int64);
    cpu_kernels().argmax(out, x, 0);
    for (std::int64_t j = 0; j < columns; ++j) {
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < rows; ++i) best = beats(at<T>(x, i, j), at<T>(x, best, j)) ? i : best;
      ASSERT_EQ(out.data<std::int64_t>()[j], best) << j;
    }
  }
}

template <class T>
class Argmax : public testing::Test {
 protected:
  Numbers numbers{22};
};
using AllTypes = testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(Argmax, AllTypes);

TYPED_TEST(Argmax, AgreesInEveryLayout) {
  for (const std::int64_t n : sweep_sizes) {
    for (const Layout layout : all_layouts) {
      expect_argmax<TypeParam>(this->numbers.template matrix<TypeParam>(3, n, layout, 0, 250));
      expect_argmax<TypeParam>(this->numbers.template matrix<TypeParam>(n, 4, layout, 0, 250));
    }
  }
}

TYPED_TEST(Argmax, TakesTheFirstOfEquals) {
  // Three values only: nearly every line has ties.
  for (const std::int64_t n : sweep_sizes) {
    expect_argmax<TypeParam>(
        this->numbers.template matrix<std::int32_t>(5, n, Layout::contiguous, 0, 3).to(dtype_of<TypeParam>));
  }
  const Tensor out = Tensor::full({1}, -1, DType::int64);
  cpu_kernels().argmax(out, Tensor::full({1, 9}, 4, dtype_of<TypeParam>), 1);
  EXPECT_EQ(out.item(), 0);
}

TYPED_TEST(Reduce, ArgmaxCountsANaNAsTheLargest) {
  constexpr TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  constexpr TypeParam inf = std::numeric_limits<TypeParam>::infinity();
  const Tensor x = Tensor::from_vector<TypeParam>({1, nan, inf, nan,  //
                                                   nan, 5, 6, 7,      //
                                                   -inf, -inf, -inf, -inf},
                                                  {3, 4});
  const Tensor out = Tensor::empty({3}, DType::int64);
  cpu_kernels().argmax(out, x, 1);
  EXPECT_EQ(out.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 0}));
  expect_argmax<TypeParam>(x);
}

TYPED_TEST(Reduce, ArgmaxAlongAMiddleDimension) {
  const Tensor x = this->numbers.template tensor<TypeParam>({2, 3, 4, 5});
  const Tensor out = Tensor::empty({2, 4, 5}, DType::int64);
  cpu_kernels().argmax(out, x, 1);
  for (std::int64_t a = 0; a < 2; ++a) {
    for (std::int64_t c = 0; c < 4; ++c) {
      for (std::int64_t e = 0; e < 5; ++e) {
        std::int64_t best = 0;
        for (std::int64_t b = 1; b < 3; ++b) {
          if (at<TypeParam>(x, a, b, c, e) > at<TypeParam>(x, a, best, c, e)) best = b;
        }
        ASSERT_EQ(out.data<std::int64_t>()[(a * 4 + c) * 5 + e], best);
      }
    }
  }
}

}  // namespace
}  // namespace feral
