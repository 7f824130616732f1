// Order and selection against std::stable_sort, every type and layout.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "autograd/ops/sorting.hpp"
#include "tensor/allocator.hpp"
#include "tests/tensor/elements.hpp"

namespace feral {
namespace {

using namespace testing_support;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// NaN is the largest.
bool less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

// The line of a matrix along `dim` that `at` counts.
std::vector<double> line_of(const Tensor& x, int dim, std::int64_t at) {
  std::vector<double> line;
  for (std::int64_t i = 0; i < x.shape()[dim]; ++i)
    line.push_back(element(x, dim == 0 ? Position{i, at} : Position{at, i}));
  return line;
}

std::vector<std::int64_t> order_of(const std::vector<double>& line, bool descending) {
  std::vector<std::int64_t> order(line.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const double x = line[static_cast<std::size_t>(a)];
    const double y = line[static_cast<std::size_t>(b)];
    return descending ? less(y, x) : less(x, y);
  });
  return order;
}

void expect_same(double a, double b) {
  if (std::isnan(b)) {
    ASSERT_TRUE(std::isnan(a));
  } else {
    ASSERT_EQ(a, b);
    ASSERT_EQ(std::signbit(a), std::signbit(b));  // -0 stays -0
  }
}

// Everything that orders x along dim.
void expect_ordered(const Tensor& x, int dim) {
  for (const bool descending : {false, true}) {
    const ValuesIndices sorted = x.sort(dim, descending);
    const Tensor order = x.argsort(dim, descending);
    const std::int64_t n = x.shape()[dim];
    ASSERT_EQ(sorted.values.shape().to_string(), x.shape().to_string());
    ASSERT_EQ(sorted.values.dtype(), x.dtype());
    ASSERT_EQ(sorted.indices.dtype(), DType::int64);
    for (std::int64_t at = 0; at < x.shape()[1 - dim]; ++at) {
      const std::vector<double> line = line_of(x, dim, at);
      const std::vector<std::int64_t> expected = order_of(line, descending);
      const std::vector<double> indices = line_of(sorted.indices, dim, at);
      const std::vector<double> values = line_of(sorted.values, dim, at);
      ASSERT_EQ(indices, std::vector<double>(expected.begin(), expected.end()));
      ASSERT_EQ(line_of(order, dim, at), indices);
      for (std::size_t i = 0; i < values.size(); ++i)
        expect_same(values[i], line[static_cast<std::size_t>(expected[i])]);
    }
    for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, n / 2, n - 1, n}) {
      if (k < 0 || k > n) continue;
      const ValuesIndices first = x.topk(k, dim, descending);
      ASSERT_EQ(first.values.shape()[dim], k);
      for (std::int64_t at = 0; at < x.shape()[1 - dim]; ++at) {
        const std::vector<double> all = line_of(sorted.indices, dim, at);
        const std::vector<double> all_values = line_of(sorted.values, dim, at);
        ASSERT_EQ(line_of(first.indices, dim, at), std::vector<double>(all.begin(), all.begin() + k));
        const std::vector<double> values = line_of(first.values, dim, at);
        for (std::size_t i = 0; i < values.size(); ++i) expect_same(values[i], all_values[i]);
      }
      if (descending || k == 0) continue;
      const ValuesIndices kth = x.kthvalue(k, dim, true);
      ASSERT_EQ(kth.values.shape()[dim], 1);
      for (std::int64_t at = 0; at < x.shape()[1 - dim]; ++at) {
        ASSERT_EQ(line_of(kth.indices, dim, at)[0],
                  line_of(sorted.indices, dim, at)[static_cast<std::size_t>(k - 1)]);
        expect_same(line_of(kth.values, dim, at)[0],
                    line_of(sorted.values, dim, at)[static_cast<std::size_t>(k - 1)]);
      }
    }
  }
}

TEST(Sort, EveryTypeLayoutAndLength) {
  Numbers numbers(7);
  for (const DType dtype : all_dtypes) {
    visit_dtype(dtype, [&]<class T>() {
      for (const Layout layout : all_layouts) {
        // Few different numbers: many ties. 400 and more are sorted by radix.
        for (const auto& [rows, columns] :
             {std::pair<std::int64_t, std::int64_t>{1, 1}, {3, 17}, {40, 2}, {2, 400}, {0, 3}, {3, 0}}) {
          SCOPED_TRACE(std::string(name_of(dtype)) + " layout " + std::to_string(static_cast<int>(layout)));
          const double low = std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t> ? 0 : -50;
          const Tensor x = numbers.matrix<T>(rows, columns, layout, low, 50);
          expect_ordered(x, 0);
          expect_ordered(x, 1);
        }
      }
    });
  }
}

template <class T>
void expect_line_ordered(const std::vector<T>& values) {
  expect_ordered(Tensor::from_vector(values, {1, static_cast<std::int64_t>(values.size())}), 1);
}

template <class T>
void expect_integer_extremes_ordered() {
  using limits = std::numeric_limits<T>;
  std::vector<T> values = {limits::max(),
                           0,
                           limits::min(),
                           1,
                           limits::max(),
                           limits::min(),
                           static_cast<T>(limits::max() - 1),
                           static_cast<T>(limits::min() + 1),
                           static_cast<T>(-1)};
  expect_line_ordered(values);
  while (values.size() < 500) values.insert(values.end(), values.begin(), values.begin() + 9);
  expect_line_ordered(values);
}

TEST(Sort, ExtremeIntegers) {
  expect_integer_extremes_ordered<std::int8_t>();
  expect_integer_extremes_ordered<std::uint8_t>();
  expect_integer_extremes_ordered<std::int16_t>();
  expect_integer_extremes_ordered<std::int32_t>();
}

TEST(Sort, SixtyFourBitsExactly) {
  // As doubles some of these would be equal.
  const std::int64_t large = std::numeric_limits<std::int64_t>::max();
  const Tensor x = Tensor::from_vector<std::int64_t>({large, large - 1, -large - 1, 0, -large, -1}, {6});
  expect_vector<std::int64_t>(x.argsort(), {6}, {2, 4, 5, 3, 1, 0});
  expect_vector<std::int64_t>(x.sort(0, true).values, {6}, {large, large - 1, 0, -1, -large, -large - 1});
  Numbers numbers(3);
  std::vector<std::int64_t> many(3000);
  for (std::int64_t& value : many) value = static_cast<std::int64_t>(numbers.next(-1e18, 1e18));
  const Tensor sorted = Tensor::from_vector(many, {3000}).sort().values;
  std::sort(many.begin(), many.end());
  expect_vector(sorted, {3000}, many);
}

TEST(Sort, SpecialFloats) {
  std::vector<double> values = {nan,  1,  -infinity, 0,       -0.0,  infinity, -nan, 0,
                                -0.0, -1, 5e-324,    -5e-324, 1e308, -nan,     nan};
  const auto check = [](const std::vector<double>& doubles) {
    expect_line_ordered(doubles);
    expect_line_ordered(std::vector<float>(doubles.begin(), doubles.end()));
    std::vector<Float16> halves;
    std::vector<BFloat16> brains;
    for (const double value : doubles) {
      halves.push_back(static_cast<Float16>(static_cast<float>(value)));
      brains.push_back(static_cast<BFloat16>(static_cast<float>(value)));
    }
    expect_line_ordered(halves);
    expect_line_ordered(brains);
  };
  check(values);
  while (values.size() < 700) values.insert(values.end(), values.begin(), values.begin() + 15);
  check(values);
}

TEST(Sort, LongLines) {
  Numbers numbers(5);
  // Long enough for topk to run out of room several times, in the worst order, too.
  const Tensor x = numbers.tensor<float>({1, 20000});
  expect_ordered(x, 1);
  expect_ordered(x.sort().values, 1);
  expect_ordered(x.sort(-1, true).values, 1);
  expect_ordered(Tensor::zeros({1, 5000}, DType::int32), 1);
}

TEST(Sort, Numbers) {
  const Tensor x = Tensor::full({}, 3);
  EXPECT_EQ(x.sort().values.shape().to_string(), "[]");
  EXPECT_EQ(x.sort(0).indices.item(), 0);
  EXPECT_EQ(x.argsort(-1, true).shape().to_string(), "[]");
  EXPECT_EQ(x.topk(1).values.item(), 3);
  EXPECT_EQ(x.topk(0).values.item(), 3);
  EXPECT_EQ(x.kthvalue(1).values.shape().to_string(), "[]");
  EXPECT_EQ(x.kthvalue(1, 0, true).values.shape().to_string(), "[]");
  EXPECT_EQ(Tensor::empty({0, 3}).kthvalue(2, 1).values.shape().to_string(), "[0]");
  EXPECT_EQ(Tensor::empty({2, 3, 4}).kthvalue(2, 1).values.shape().to_string(), "[2, 4]");
  EXPECT_EQ(Tensor::empty({2, 3, 4}).kthvalue(2, 1, true).indices.shape().to_string(), "[2, 1, 4]");
  EXPECT_EQ(Tensor::empty({2, 3, 4}).topk(2, 0).indices.shape().to_string(), "[2, 3, 4]");
}

TEST(Sort, AllocatesNothingOnceWarm) {
  Numbers numbers(6);
  const Tensor x = numbers.tensor<float>({10, 1000});
  const auto step = [&] {
    (void)x.sort();
    (void)x.argsort(0, true);
    (void)x.topk(10);
    (void)x.kthvalue(3, 0);
    (void)x.unique();
    (void)searchsorted(x, x);
    (void)x.histogram(10);
    (void)x.flip(0).roll(3).tile({2}).tril();
  };
  for (int i = 0; i < 3; ++i) step();
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 5; ++i) step();
  EXPECT_EQ(allocator_statistics().heap_allocations, before.heap_allocations);
}

TEST(Unique, OfEveryTypeAndLayout) {
  Numbers numbers(8);
  for (const DType dtype : all_dtypes) {
    visit_dtype(dtype, [&]<class T>() {
      for (const Layout layout : all_layouts) {
        for (const auto& [rows, columns] :
             {std::pair<std::int64_t, std::int64_t>{1, 1}, {5, 7}, {20, 30}, {0, 3}}) {
          SCOPED_TRACE(std::string(name_of(dtype)) + " layout " + std::to_string(static_cast<int>(layout)));
          const Tensor x = numbers.matrix<T>(rows, columns, layout, 0, 20);
          std::vector<double> expected = x.to_vector<double>();
          std::sort(expected.begin(), expected.end());
          expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
          const UniqueResult found = x.unique();
          ASSERT_EQ(found.values.dtype(), dtype);
          ASSERT_EQ(found.values.to_vector<double>(), expected);
          std::vector<std::int64_t> counts(expected.size(), 0);
          expect_elements(found.inverse, x.shape(), DType::int64, [&](const Position& p) {
            const auto at = std::lower_bound(expected.begin(), expected.end(), element(x, p)) - expected.begin();
            ++counts[static_cast<std::size_t>(at)];
            return static_cast<double>(at);
          });
          expect_vector(found.counts, {static_cast<std::int64_t>(expected.size())}, counts);
        }
      }
    });
  }
}

TEST(Unique, EveryNaNIsAValueOfItsOwn) {
  const UniqueResult found = Tensor::from_vector<double>({nan, 1, nan, -0.0, 0}, {5}).unique();
  const std::vector<double> values = found.values.to_vector<double>();
  ASSERT_EQ(values.size(), 4U);
  EXPECT_TRUE(values[0] == 0 && std::signbit(values[0]));  // the first of the two
  EXPECT_EQ(values[1], 1);
  EXPECT_TRUE(std::isnan(values[2]) && std::isnan(values[3]));
  expect_vector<std::int64_t>(found.inverse, {5}, {2, 1, 3, 0, 0});
  expect_vector<std::int64_t>(found.counts, {4}, {2, 1, 1, 1});
  // The largest integer is no NaN.
  expect_vector<std::int64_t>(Tensor::full({3}, 255, DType::uint8).unique().counts, {1}, {3});
  const UniqueResult one = Tensor::full({}, 4).unique();
  EXPECT_EQ(one.inverse.shape().to_string(), "[]");
  expect_vector<float>(one.values, {1}, {4});
}

TEST(Searchsorted, OfEveryTypeAndLayout) {
  Numbers numbers(9);
  for (const DType dtype : all_dtypes) {
    visit_dtype(dtype, [&]<class T>() {
      for (const Layout layout : all_layouts) {
        for (const std::int64_t n : {0, 1, 2, 5, 16, 33}) {
          const Tensor values = numbers.matrix<T>(4, 6, layout, 0, 40);
          const Tensor rows = numbers.matrix<T>(4, n, layout, 0, 40).sort(1).values;
          const Tensor columns = rows.transpose(0, 1).contiguous().transpose(0, 1);  // other strides
          const Tensor row = rows.narrow(0, 0, 1).reshape({n});
          for (const bool right : {false, true}) {
            const auto expected = [&](const Tensor& sorted, std::int64_t at, double value) {
              double count = 0;
              for (std::int64_t i = 0; i < n; ++i) {
                const double own = element(sorted, {at, i});
                count += own < value || (right && own == value) ? 1 : 0;
              }
              return count;
            };
            for (const Tensor& sorted : {rows, columns}) {
              expect_elements(searchsorted(sorted, values, right), {4, 6}, DType::int64,
                              [&](const Position& p) { return expected(sorted, p[0], element(values, p)); });
            }
            expect_elements(searchsorted(row, values, right), {4, 6}, DType::int64,
                            [&](const Position& p) { return expected(rows, 0, element(values, p)); });
          }
        }
      }
    });
  }
}

TEST(Searchsorted, NaNIsTheLargestAndTypesPromote) {
  const Tensor sorted = Tensor::from_vector<float>({-1, 0, 2}, {3});
  const Tensor values = Tensor::from_vector<double>({nan, -infinity, infinity, -0.0}, {2, 2});
  expect_vector<std::int64_t>(searchsorted(sorted, values), {2, 2}, {3, 0, 3, 1});
  expect_vector<std::int64_t>(searchsorted(sorted, values, true), {2, 2}, {3, 0, 3, 2});
  const Tensor with_nan = Tensor::from_vector<double>({1, nan, nan}, {3});
  expect_vector<std::int64_t>(searchsorted(with_nan, values), {2, 2}, {1, 0, 1, 0});
  EXPECT_EQ(searchsorted(with_nan, values, true).to_vector<std::int64_t>()[0], 3);
  EXPECT_EQ(searchsorted(sorted, Tensor::full({}, 1, DType::int64)).shape().to_string(), "[]");
  EXPECT_EQ(searchsorted(sorted, Tensor::full({}, 1.5)).item(), 2);
  EXPECT_EQ(searchsorted(sorted, Tensor::empty({0, 2})).shape().to_string(), "[0, 2]");
  EXPECT_EQ(searchsorted(Tensor::arange(3), Tensor::full({}, 1.5)).item(), 2);
}

}  // namespace
}  // namespace feral
