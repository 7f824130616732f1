// gather and the scatters against index-by-index twins.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/grad_mode.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using namespace testing_support;

template <class T>
class GatherOf : public testing::Test {
 protected:
  Numbers numbers{41};

  // [rows, columns] of indices in [0, size).
  Tensor indices(std::int64_t rows, std::int64_t columns, std::int64_t size, Layout layout) {
    return numbers.matrix<std::int64_t>(rows, columns, layout, 0, static_cast<double>(size));
  }
};
using Types = testing::Types<float, double, std::int64_t, std::int32_t, std::uint8_t, std::int8_t, std::int16_t,
                             Float16, BFloat16>;
TYPED_TEST_SUITE(GatherOf, Types);

TYPED_TEST(GatherOf, ReadsInEveryLayoutAlongBothDimensions) {
  for (const Layout layout : all_layouts) {
    for (const Layout index_layout : all_layouts) {
      const Tensor x = this->numbers.template matrix<TypeParam>(6, 7, layout, 0, 60);
      const Tensor rows = this->indices(9, 5, 6, index_layout);  // fewer columns than x
      const Tensor columns = this->indices(4, 11, 7, index_layout);
      const Tensor by_row = x.gather(0, rows);
      const Tensor by_column = x.gather(-1, columns.to(DType::int32));
      const Tensor taken = x.take_along_dim(rows.narrow(1, 0, 1) + Tensor::full({}, -6, DType::int64), 0);
      ASSERT_EQ(taken.shape(), (Shape{9, 7}));
      for (std::int64_t i = 0; i < 9; ++i) {
        for (std::int64_t j = 0; j < 5; ++j) {
          ASSERT_EQ(at<TypeParam>(by_row, i, j), at<TypeParam>(x, at<std::int64_t>(rows, i, j), j));
        }
        for (std::int64_t j = 0; j < 7; ++j) {
          ASSERT_EQ(at<TypeParam>(taken, i, j), at<TypeParam>(x, at<std::int64_t>(rows, i, 0), j));
        }
      }
      for (std::int64_t i = 0; i < 4; ++i) {
        for (std::int64_t j = 0; j < 11; ++j) {
          ASSERT_EQ(at<TypeParam>(by_column, i, j), at<TypeParam>(x, i, at<std::int64_t>(columns, i, j)));
        }
      }
    }
  }
}

// What scattering `source` into x along dimension 0 gives, one place at a time.
template <class T>
std::vector<double> scattered(const Tensor& x, const Tensor& index, const Tensor& source, bool include_self,
                              const std::string& how) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
    for (std::int64_t j = 0; j < x.shape()[1]; ++j) {
      T value = at<T>(x, i, j);
      std::int64_t count = include_self ? 1 : 0;
      for (std::int64_t k = 0; k < index.shape()[0] && j < index.shape()[1]; ++k) {
        if (at<std::int64_t>(index, k, j) != i) continue;
        const T next = at<T>(source, k, j);
        if (how == "copy" || count == 0) {
          value = next;
        } else if (how == "prod") {
          value = static_cast<T>(value * next);
        } else if (how == "amax") {
          value = std::max(value, next);
        } else if (how == "amin") {
          value = std::min(value, next);
        } else {
          value = static_cast<T>(value + next);
        }
        ++count;
      }
      if (how == "mean" && count > 1) {
        if constexpr (std::is_integral_v<T>) {
          value = static_cast<T>(std::floor(static_cast<double>(value) / static_cast<double>(count)));
        } else {
          value = static_cast<T>(value / static_cast<T>(static_cast<float>(count)));
        }
      }
      result.push_back(static_cast<double>(value));
    }
  }
  return result;
}

TYPED_TEST(GatherOf, ScattersInEveryLayout) {
  const std::int64_t low = std::is_signed_v<TypeParam> ? -2 : 0;
  for (const Layout layout : {Layout::contiguous, Layout::transposed, Layout::stepped}) {
    for (const Layout other : all_layouts) {
      const Tensor x = this->numbers.template matrix<TypeParam>(5, 6, layout, static_cast<double>(low), 3);
      const Tensor index = this->indices(7, 4, 5, other);
      const Tensor large = this->numbers.template matrix<TypeParam>(8, 5, other, static_cast<double>(low), 3);
      const auto values = [](const Tensor& y) { return y.to_vector<double>(); };
      const auto expected = [&](bool self, const char* how) {
        return scattered<TypeParam>(x, index, large, self, how);
      };
      ASSERT_EQ(values(x.scatter(0, index, large)), expected(true, "copy"));
      ASSERT_EQ(values(x.scatter_add(0, index, large)), expected(true, "sum"));
      for (const bool self : {true, false}) {
        for (const char* how : {"sum", "prod", "mean", "amax", "amin"}) {
          if (std::is_same_v<TypeParam, BFloat16> && std::string(how) == "mean") continue;
          ASSERT_EQ(values(x.scatter_reduce(0, index, large, how, self)), expected(self, how)) << how << self;
        }
      }
      const Tensor filled = x.scatter(0, index, 2);
      const Tensor twos = Tensor::full({7, 4}, 2, dtype_of<TypeParam>);
      ASSERT_EQ(values(filled), scattered<TypeParam>(x, index, twos, true, "copy"));
      const Tensor turned = x.transpose(0, 1).scatter_add(1, index.transpose(0, 1), large.transpose(0, 1));
      ASSERT_EQ(values(turned.transpose(0, 1)), expected(true, "sum"));

      const auto sums = expected(true, "sum");
      const auto copies = expected(true, "copy");
      const Tensor original = x.clone();
      ASSERT_EQ(values(x.scatter_add_(0, index, large)), sums);
      x.copy_(original);
      ASSERT_EQ(values(x.scatter_(0, index, large)), copies);
    }
  }
}

TEST(Gather, TensorsWithoutDimensionsAndEmptyOnes) {
  const Tensor number = Tensor::full({}, 5);
  const Tensor zero = Tensor::zeros({}, DType::int64);
  EXPECT_EQ(number.gather(0, zero).shape(), Shape{});
  EXPECT_EQ(number.gather(0, Tensor::zeros({2}, DType::int64)).to_vector<float>(), (std::vector<float>{5, 5}));
  EXPECT_EQ(number.scatter_add(-1, zero, number).item(), 10);
  EXPECT_EQ(number.scatter_reduce(0, zero, number, "mean", false).item(), 5);
  const Tensor none = Tensor::zeros({0, 3}, DType::int64);
  EXPECT_EQ(Tensor::ones({2, 3}).gather(0, none).shape(), (Shape{0, 3}));
  EXPECT_EQ(Tensor::ones({0, 3}).scatter_add(0, none, Tensor::ones({0, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(Tensor::ones({2, 0}).gather(0, Tensor::zeros({5, 0}, DType::int64)).shape(), (Shape{5, 0}));
}

TEST(ScatterReduce, NaNInfinityAndExtremeIntegers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from_vector<float>({1, nan, 2, -infinity}, {4});
  const Tensor index = Tensor::from_vector<std::int64_t>({0, 0, 1, 2, 3}, {5});
  const Tensor source = Tensor::from_vector<float>({nan, 3, 4, infinity, -infinity}, {5});
  for (const char* how : {"amax", "amin"}) {
    const auto values = x.scatter_reduce(0, index, source, how).to_vector<float>();
    EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[1])) << how;
    EXPECT_EQ(values[2], std::string(how) == "amax" ? infinity : 2);
    EXPECT_EQ(values[3], -infinity);
  }
  EXPECT_EQ(x.scatter_reduce(0, index, source, "amax", false).to_vector<float>()[1], 4);
  const Tensor extreme = Tensor::from_vector<std::int64_t>({std::numeric_limits<std::int64_t>::min(), 5}, {2});
  const Tensor zero = Tensor::zeros({1}, DType::int64);
  const Tensor minus_one = Tensor::full({1}, -1, DType::int64);
  EXPECT_EQ(extreme.scatter_add(0, zero, minus_one).to_vector<std::int64_t>()[0],
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(extreme.scatter_reduce(0, zero, minus_one, "prod").to_vector<std::int64_t>()[0],
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(extreme.scatter_reduce(0, zero, minus_one, "amax", false).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{-1, 5}));
  // The mean of integers is rounded down, as in PyTorch.
  const Tensor three = Tensor::zeros({3}, DType::int64);
  const Tensor numbers = Tensor::from_vector<std::int64_t>({-4, -9, 2}, {3});
  EXPECT_EQ(Tensor::ones({1}, DType::int64).scatter_reduce(0, three, numbers, "mean").item(), -3);
  EXPECT_EQ(Tensor::ones({1}, DType::int64).scatter_reduce(0, three, numbers, "mean", false).item(), -4);
  const Tensor flags = Tensor::from_vector<bool>({true, false}, {2});
  EXPECT_EQ(flags.scatter_reduce(0, zero, Tensor::zeros({1}, DType::boolean), "prod").to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{0, 0}));
}

TEST(TakeAlongDim, BroadcastsAllOtherDimensions) {
  Numbers numbers(8);
  const Tensor x = numbers.tensor<float>({2, 3, 1});
  const Tensor indices = Tensor::from_vector<std::int64_t>({0, -1, 1, 2}, {1, 1, 4});
  EXPECT_NE(error_of([&] { (void)x.take_along_dim(indices, 2); }), "");  // size 1 along the dimension
  const Tensor along = x.take_along_dim(indices.transpose(1, 2), 1);     // [2, 4, 1]
  const auto all = x.to_vector<float>();
  EXPECT_EQ(along.to_vector<float>(),
            (std::vector<float>{all[0], all[2], all[1], all[2], all[3], all[5], all[4], all[5]}));
  const Tensor wide = x.take_along_dim(Tensor::zeros({1, 1, 4}, DType::int64), 1);
  EXPECT_EQ(wide.shape(), (Shape{2, 1, 4}));
}

TEST(Scatter, OfSeveralAtOnePlaceTheLastOneStays) {
  const Tensor index = Tensor::from_vector<std::int64_t>({1, 1, 1, 0}, {4});
  const Tensor source = Tensor::from_vector<float>({1, 2, 3, 4}, {4});
  EXPECT_EQ(Tensor::zeros({2}).scatter(0, index, source).to_vector<float>(), (std::vector<float>{4, 3}));
}

TEST(ScatterInPlace, OperandsMayShareTheTargetsMemory) {
  const Tensor x = Tensor::from_vector<std::int64_t>({3, 2, 1, 0}, {4});
  x.scatter_(0, x, x);
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2, 3}));
  x.scatter_add_(0, Tensor::from_vector<std::int64_t>({1, 2, 3}, {3}), x.narrow(0, 0, 3));
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 3, 5}));
}

TEST(ScatterInPlace, WrongCallsNameWhatIsWrongAndWriteNothing) {
  const Tensor x = Tensor::zeros({2, 3});
  const Tensor index = Tensor::from_vector<std::int64_t>({0, 1, 2}, {1, 3});
  Tensor leaf = Tensor::ones({1, 3}).set_requires_grad(true);
  const auto expect = [&](auto call, std::initializer_list<const char*> parts) {
    const std::string message = error_of(call);
    for (const char* part : parts) EXPECT_TRUE(contains(message, part)) << message << " lacks " << part;
    EXPECT_EQ(x.to_vector<float>(), std::vector<float>(6));
  };
  const Tensor source = Tensor::ones({1, 3});
  expect([&] { x.scatter_(0, index, source); }, {"scatter_: ", "index 2", "[0, 2]", "[0, 2)"});
  expect([&] { x.scatter_add_(0, index, source); }, {"scatter_add_: ", "index 2"});
  expect([&] { x.scatter_(1, index, Tensor::ones({1, 2})); }, {"scatter_: ", "[1, 2]", "[1, 3]"});
  expect([&] { x.scatter_(1, index, Tensor::ones({1, 3}, DType::int64)); }, {"scatter_: ", "int64", "float32"});
  expect([&] { x.narrow(0, 0, 1).expand({2, 3}).scatter_(1, index, source); }, {"scatter_: ", "share memory"});
  const NoGradGuard no_grad;
  EXPECT_EQ(x.scatter_(1, index, leaf).to_vector<float>(), (std::vector<float>{1, 1, 1, 0, 0, 0}));
}

}  // namespace
}  // namespace feral
