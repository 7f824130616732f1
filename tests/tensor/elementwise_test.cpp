// The elementwise kernels against index-by-index twins.
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
using testing_support::ulps_between;

template <class T>
class Elementwise : public testing::Test {
 protected:
  Numbers numbers{11};
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementwise, FloatingTypes);

template <class T>
T twin(BinaryKernel kernel, T a, T b) {
  switch (kernel) {
    case BinaryKernel::add:
      return a + b;
    case BinaryKernel::sub:
      return a - b;
    case BinaryKernel::mul:
      return a * b;
    case BinaryKernel::div:
      return a / b;
    case BinaryKernel::relu_backward:
      return b > 0 ? a : T{0};
    default:  // tests/tensor/functions_test.cpp has the others
      break;
  }
  throw Error("no such kernel");
}

template <class T>
T twin(UnaryKernel kernel, T x) {
  switch (kernel) {
    case UnaryKernel::exp:
      return std::exp(x);
    case UnaryKernel::log:
      return std::log(x);
    case UnaryKernel::relu:
      return x < 0 ? T{0} : x;
    default:
      break;
  }
  throw Error("no such kernel");
}

constexpr BinaryKernel binary_kernels[] = {BinaryKernel::add, BinaryKernel::sub, BinaryKernel::mul,
                                           BinaryKernel::div, BinaryKernel::relu_backward};

// One rounding each: the kernels must agree to the bit.
template <class T>
void expect_binary(const Tensor& out, const Tensor& a, const Tensor& b) {
  for (const BinaryKernel kernel : binary_kernels) {
    cpu_kernels().binary(kernel, out, a, b);
    for (std::int64_t i = 0; i < out.shape()[0]; ++i) {
      for (std::int64_t j = 0; j < out.shape()[1]; ++j) {
        ASSERT_EQ(at<T>(out, i, j), twin(kernel, at<T>(a, i, j), at<T>(b, i, j)))
            << "kernel " << static_cast<int>(kernel) << " at " << i << ", " << j << " of "
            << out.shape().to_string();
      }
    }
  }
}

TYPED_TEST(Elementwise, BinaryAgreesInEveryPairOfLayouts) {
  for (const std::int64_t n : sweep_sizes) {
    for (const auto& [rows, columns] : {std::pair{std::int64_t{3}, n}, std::pair{n, std::int64_t{2}}}) {
      for (const Layout left : all_layouts) {
        for (const Layout right : all_layouts) {
          const Tensor a = this->numbers.template matrix<TypeParam>(rows, columns, left);
          const Tensor b = this->numbers.template matrix<TypeParam>(rows, columns, right);
          expect_binary<TypeParam>(Tensor::empty({rows, columns}, dtype_of<TypeParam>), a, b);
        }
      }
    }
  }
}

TYPED_TEST(Elementwise, BinaryWritesThroughStridesAndTouchesNothingElse) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor base = Tensor::full({n + 2, 5}, 77, dtype_of<TypeParam>);
    const Tensor out = base.narrow(0, 1, n).narrow(1, 1, 3).transpose(0, 1);
    const Tensor a = this->numbers.template matrix<TypeParam>(3, n, Layout::contiguous);
    const Tensor b = this->numbers.template matrix<TypeParam>(3, n, Layout::broadcast_rows);
    expect_binary<TypeParam>(out, a, b);
    for (std::int64_t i = 0; i < n + 2; ++i) {
      for (std::int64_t j = 0; j < 5; ++j) {
        const bool outside = i < 1 || i > n || j < 1 || j > 3;
        ASSERT_TRUE(!outside || at<TypeParam>(base, i, j) == 77) << i << ", " << j;
      }
    }
  }
}

TYPED_TEST(Elementwise, BinaryBroadcastsOperandsOfFewerDimensions) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor a = this->numbers.template tensor<TypeParam>({4, n});
    const Tensor row = this->numbers.template tensor<TypeParam>({n});
    const Tensor scalar = this->numbers.template tensor<TypeParam>({});
    const Tensor out = Tensor::empty({4, n}, dtype_of<TypeParam>);
    cpu_kernels().binary(BinaryKernel::sub, out, a, row);
    for (std::int64_t i = 0; i < 4; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        ASSERT_EQ(at<TypeParam>(out, i, j), at<TypeParam>(a, i, j) - row.data<TypeParam>()[j]);
      }
    }
    cpu_kernels().binary(BinaryKernel::div, out, scalar, a);
    for (std::int64_t i = 0; i < 4; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        ASSERT_EQ(at<TypeParam>(out, i, j), scalar.data<TypeParam>()[0] / at<TypeParam>(a, i, j));
      }
    }
  }
}

TYPED_TEST(Elementwise, BinaryWorksInPlace) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor a = this->numbers.template tensor<TypeParam>({n});
    const Tensor b = this->numbers.template tensor<TypeParam>({n});
    const auto before = a.template to_vector<TypeParam>();
    cpu_kernels().binary(BinaryKernel::add, a, a, b);
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_EQ(a.data<TypeParam>()[i], before[static_cast<std::size_t>(i)] + b.data<TypeParam>()[i]);
    }
  }
}

TYPED_TEST(Elementwise, UnaryAgreesInEveryLayout) {
  for (const UnaryKernel kernel : {UnaryKernel::exp, UnaryKernel::log, UnaryKernel::relu}) {
    const double low = kernel == UnaryKernel::log ? 1e-6 : -20;
    for (const std::int64_t n : sweep_sizes) {
      for (const Layout layout : all_layouts) {
        const Tensor x = this->numbers.template matrix<TypeParam>(3, n, layout, low, 20);
        const Tensor out = Tensor::empty({3, n}, dtype_of<TypeParam>);
        const Tensor strided = Tensor::empty({n, 3}, dtype_of<TypeParam>).transpose(0, 1);
        cpu_kernels().unary(kernel, out, x);
        cpu_kernels().unary(kernel, strided, x);
        for (std::int64_t i = 0; i < 3; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            const TypeParam expected = twin(kernel, at<TypeParam>(x, i, j));
            const std::uint64_t allowed = kernel == UnaryKernel::relu ? 0 : 4;
            ASSERT_LE(ulps_between(at<TypeParam>(out, i, j), expected), allowed) << at<TypeParam>(x, i, j);
            ASSERT_EQ(at<TypeParam>(out, i, j), at<TypeParam>(strided, i, j)) << at<TypeParam>(x, i, j);
          }
        }
      }
    }
  }
}

template <class T>
void expect_unary(UnaryKernel kernel, const std::vector<T>& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  const Tensor x = Tensor::from_vector(values, {n});
  const Tensor out = Tensor::empty({n}, dtype_of<T>);
  cpu_kernels().unary(kernel, out, x);
  for (std::int64_t i = 0; i < n; ++i) {
    const T value = values[static_cast<std::size_t>(i)];
    EXPECT_LE(ulps_between(out.data<T>()[i], twin(kernel, value)), 4U)
        << "of " << value << ": " << out.data<T>()[i] << ", expected " << twin(kernel, value);
  }
}

TYPED_TEST(Elementwise, ExpHoldsAtItsLimits) {
  using Limits = std::numeric_limits<TypeParam>;
  const TypeParam edge = std::log(Limits::max());
  expect_unary<TypeParam>(UnaryKernel::exp,
                          {0, -TypeParam{0}, 1, -1, edge * TypeParam{0.999}, edge * TypeParam{1.001}, -edge, 1000,
                           -1000, TypeParam{1e6}, TypeParam{-1e6}, TypeParam{3e9}, Limits::max(), Limits::lowest(),
                           Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min()});
}

TYPED_TEST(Elementwise, LogHoldsAtItsLimits) {
  using Limits = std::numeric_limits<TypeParam>;
  expect_unary<TypeParam>(UnaryKernel::log,
                          {1, Limits::min(), Limits::min() / 2, Limits::denorm_min(), Limits::max(),
                           1 + Limits::epsilon(), 1 - Limits::epsilon(), 0, -TypeParam{0}, -1, Limits::lowest(),
                           Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()});
}

TYPED_TEST(Elementwise, ReluLetsNaNThroughAndDropsNegativeInfinity) {
  using Limits = std::numeric_limits<TypeParam>;
  expect_unary<TypeParam>(UnaryKernel::relu,
                          {Limits::quiet_NaN(), -Limits::infinity(), Limits::infinity(), -1, 0, 1, Limits::min()});
}

TYPED_TEST(Elementwise, ReluBackwardStopsAtZeroAndBelow) {
  const Tensor gradient = Tensor::from_vector<TypeParam>({5, 5, 5}, {3});
  const Tensor output = Tensor::from_vector<TypeParam>({-1, 0, 1}, {3});
  const Tensor out = Tensor::empty({3}, dtype_of<TypeParam>);
  cpu_kernels().binary(BinaryKernel::relu_backward, out, gradient, output);
  EXPECT_EQ(out.template to_vector<TypeParam>(), (std::vector<TypeParam>{0, 0, 5}));
}

TYPED_TEST(Elementwise, AffineAgreesInEveryLayout) {
  for (const std::int64_t n : sweep_sizes) {
    for (const Layout layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<TypeParam>(3, n, layout);
      const Tensor out = Tensor::empty({3, n}, dtype_of<TypeParam>);
      const TypeParam scale = TypeParam{1.7};
      const TypeParam shift = TypeParam{-0.3};
      cpu_kernels().affine(out, x, scale, shift);
      for (std::int64_t i = 0; i < 3; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          const TypeParam product = scale * at<TypeParam>(x, i, j);
          // The product may or may not be rounded before the sum: half a unit of each at most.
          const TypeParam allowed =
              std::numeric_limits<TypeParam>::epsilon() * (std::abs(product) + std::abs(shift));
          ASSERT_NEAR(at<TypeParam>(out, i, j), product + shift, allowed);
        }
      }
    }
  }
}

TYPED_TEST(Elementwise, AffineWithoutShiftOrScaleIsExact) {
  const Tensor x = this->numbers.template tensor<TypeParam>({65});
  const Tensor out = Tensor::empty({65}, dtype_of<TypeParam>);
  cpu_kernels().affine(out, x, 3, 0);
  for (int i = 0; i < 65; ++i) ASSERT_EQ(out.data<TypeParam>()[i], 3 * x.data<TypeParam>()[i]);
  cpu_kernels().affine(out, x, 1, 0.5);
  for (int i = 0; i < 65; ++i) ASSERT_EQ(out.data<TypeParam>()[i], x.data<TypeParam>()[i] + TypeParam{0.5});
}

}  // namespace
}  // namespace feral
