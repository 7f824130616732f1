#include "tensor/cpu/step_product.hpp"

#include <gtest/gtest.h>

#include "tests/tensor/operands.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using testing_support::Numbers;

// c [m, n] within rows of n + 3, whose last ones must stay.
template <class T>
void expect_product(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed, bool accumulate) {
  SCOPED_TRACE(std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k));
  Numbers numbers(7);
  const Tensor a = numbers.tensor<T>({m, k + 2});
  const Tensor b = transposed ? numbers.tensor<T>({n, k}) : numbers.tensor<T>({k, n});
  const Tensor c = numbers.tensor<T>({m, n + 3});
  const Tensor want = c.clone();
  const std::int64_t row_step = transposed ? 1 : n;
  const std::int64_t column_step = transposed ? k : 1;
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? static_cast<double>(want.data<T>()[i * (n + 3) + j]) : 0;
      for (std::int64_t l = 0; l < k; ++l) {
        sum += static_cast<double>(a.data<T>()[i * (k + 2) + l]) *
               static_cast<double>(b.data<T>()[l * row_step + j * column_step]);
      }
      want.data<T>()[i * (n + 3) + j] = static_cast<T>(sum);
    }
  }
  const cpu::PackedMatrix<T> packed(b.data<T>(), k, n, row_step, column_step);
  packed.multiply(m, a.data<T>(), k + 2, c.data<T>(), n + 3, accumulate);
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;
  EXPECT_TRUE(c.allclose(want, tolerance, tolerance));
}

TEST(StepProduct, EqualsAPlainLoop) {
  for (const std::int64_t target : testing_support::targets()) {
    const testing_support::OnTarget on(target);
    for (const bool transposed : {false, true}) {
      for (const bool accumulate : {false, true}) {
        for (const std::int64_t m : {1, 2, 7, 12, 13, 16, 25}) {
          expect_product<float>(m, 70, 37, transposed, accumulate);
          expect_product<double>(m, 33, 20, transposed, accumulate);
        }
        for (const std::int64_t n : {1, 31, 32, 33, 64}) {
          expect_product<float>(3, n, 600, transposed, accumulate);  // more than two blocks deep
          expect_product<double>(3, n, 257, transposed, accumulate);
        }
      }
    }
  }
}

}  // namespace
}  // namespace feral
