// The kernel for small products against sums written out, on every instruction set of this machine; what it leaves
// to OpenBLAS, and sizes that OpenBLAS cannot count.
#include "tensor/cpu/small_gemm.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tensor/cpu/blas.hpp"
#include "tests/tensor/operands.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;
using testing_support::OnTarget;
using testing_support::sweep_sizes;
using testing_support::targets;

// Rows longer than they need be, with a value behind them that must neither be used nor changed.
template <class T>
struct Padded {
  std::int64_t rows, columns, row_length;
  std::vector<T> values;

  Padded(Numbers& numbers, std::int64_t r, std::int64_t c) : rows(r), columns(c), row_length(c + 3) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < row_length; ++j) {
        values.push_back(j < columns ? static_cast<T>(static_cast<int>(numbers.next(-8, 9))) : T{12345});
      }
    }
  }
  T at(std::int64_t i, std::int64_t j) const { return values[static_cast<std::size_t>(i * row_length + j)]; }
};

// How many of the products the kernel took.
template <class T>
int check(Numbers& numbers, std::int64_t m, std::int64_t n, std::int64_t k, T beta) {
  int taken = 0;
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      const Padded<T> a(numbers, transpose_a ? k : m, transpose_a ? m : k);
      const Padded<T> b(numbers, transpose_b ? n : k, transpose_b ? k : n);
      Padded<T> c(numbers, m, n);
      std::vector<T> expected = c.values;
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          T sum = 0;  // of whole numbers: exact in every order
          for (std::int64_t l = 0; l < k; ++l) {
            sum += (transpose_a ? a.at(l, i) : a.at(i, l)) * (transpose_b ? b.at(j, l) : b.at(l, j));
          }
          T& element = expected[static_cast<std::size_t>(i * c.row_length + j)];
          element = sum + beta * element;
        }
      }
      if (beta == 0) {
        for (std::int64_t i = 0; i < m; ++i) {  // what lies in C does not matter, not even a NaN
          for (std::int64_t j = 0; j < n; ++j) {
            c.values[static_cast<std::size_t>(i * c.row_length + j)] = std::numeric_limits<T>::quiet_NaN();
          }
        }
      }
      const std::vector<T> before = c.values;
      const bool done = cpu::small_gemm(transpose_a, transpose_b, m, n, k, a.values.data(), a.row_length,
                                        b.values.data(), b.row_length, beta, c.values.data(), c.row_length);
      taken += done ? 1 : 0;
      if (done) {
        EXPECT_EQ(c.values, expected) << m << " " << n << " " << k << " " << transpose_a << transpose_b;
      } else if (beta != 0) {
        EXPECT_EQ(c.values, before);
      }
    }
  }
  return taken;
}

template <class T>
class SmallGemm : public testing::Test {};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(SmallGemm, FloatingTypes);

TYPED_TEST(SmallGemm, AgreesForAllSizesOnEveryTarget) {
  for (const std::int64_t target : targets()) {
    const OnTarget on(target);
    Numbers numbers(61);
    int taken = 0;
    for (const std::int64_t m : {1, 4, 5, 7, 12, 16, 17, 31, 64}) {
      for (const std::int64_t n : {8, 16, 17, 24, 31, 33, 64, 65, 96, 100, 128, 129}) {
        for (const std::int64_t k : {1, 2, 3, 4, 7, 65}) {
          taken += check<TypeParam>(numbers, m, n, k, 0);
          taken += check<TypeParam>(numbers, m, n, k, 1);
        }
      }
    }
    taken += check<TypeParam>(numbers, 65, 40, 401, 0);  // above the sizes of OpenBLAS's own small kernels
    EXPECT_EQ(taken > 1000, target <= HWY_AVX2) << hwy::TargetName(target) << " took " << taken;
    EXPECT_EQ(taken == 0, target > HWY_AVX2) << hwy::TargetName(target) << " took " << taken;
  }
}

TYPED_TEST(SmallGemm, LeavesTheRestToOpenBlas) {
  Numbers numbers(62);
  EXPECT_EQ(check<TypeParam>(numbers, 32, 32, 32, TypeParam{0.5}), 0);
  EXPECT_EQ(check<TypeParam>(numbers, 32, 1, 32, 0), 0);
  EXPECT_EQ(check<TypeParam>(numbers, 3, 3, 0, 0), 0);
}

// Vectors of a size that goes to gemv, in every orientation, beside values that must not change.
TEST(Blas, LongVectorsTimesMatrices) {
  constexpr std::int64_t k = 1500;
  constexpr std::int64_t n = 700;
  Numbers numbers(63);
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      for (const float beta : {0.0F, 1.0F, 0.5F}) {
        for (const auto& [m, columns] : {std::pair<std::int64_t, std::int64_t>{1, n}, {n, 1}, {1, 1}}) {
          const Padded<float> a(numbers, transpose_a ? k : m, transpose_a ? m : k);
          const Padded<float> b(numbers, transpose_b ? columns : k, transpose_b ? k : columns);
          Padded<float> c(numbers, m, columns);
          std::vector<float> expected = c.values;
          for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
              float sum = 0;
              for (std::int64_t l = 0; l < k; ++l) {
                sum += (transpose_a ? a.at(l, i) : a.at(i, l)) * (transpose_b ? b.at(j, l) : b.at(l, j));
              }
              float& element = expected[static_cast<std::size_t>(i * c.row_length + j)];
              element = sum + beta * element;
              if (beta == 0) {
                c.values[static_cast<std::size_t>(i * c.row_length + j)] = std::numeric_limits<float>::quiet_NaN();
              }
            }
          }
          cpu::gemm(transpose_a, transpose_b, m, columns, k, a.values.data(), a.row_length, b.values.data(),
                    b.row_length, beta, c.values.data(), c.row_length);
          EXPECT_EQ(c.values, expected) << m << " " << columns << " " << transpose_a << transpose_b << " " << beta;
        }
      }
    }
  }
}

TEST(Blas, SizesThatItCannotCountAreAnError) {
  EXPECT_EQ(cpu::blas_int(2147483647), 2147483647);
  float x = 0;
  const std::int64_t huge = std::int64_t{1} << 31;
  EXPECT_TRUE(
      contains(error_of([&] { cpu::gemm(false, false, huge, 1, 1, &x, 1, &x, 1, 0.5F, &x, 1); }), "2147483648"));
  EXPECT_TRUE(
      contains(error_of([&] { cpu::gemm(false, false, 1, 1, 1, &x, huge, &x, 1, 0.5F, &x, 1); }), "2147483648"));
}

}  // namespace
}  // namespace feral
