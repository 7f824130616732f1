// Reductions of every type, over every set of dimensions and in every layout, against twins that go index by index.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <type_traits>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::Layout;
using testing_support::Numbers;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

// [2, columns, rows] of small whole numbers, some of them 0, in several layouts.
template <class T>
Tensor cube(Numbers& numbers, std::int64_t rows, std::int64_t columns, Layout layout) {
  const double low = std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t> ? 0 : -3;
  const Tensor matrix = numbers.matrix<float>(2 * rows, columns, layout, low, 4).to(dtype_of<T>);
  // to() keeps no strides: the layout is made again.
  const Tensor flat = matrix.reshape({2, rows, columns});
  return layout == Layout::contiguous ? flat : flat.transpose(1, 2).contiguous().transpose(1, 2);
}

// The elements of each result, in row-major order of the reduced dimensions.
std::vector<std::vector<double>> lines_of(const Tensor& x, const std::vector<bool>& reduced) {
  const std::vector<double> values = x.to_vector<double>();
  std::map<std::vector<std::int64_t>, std::vector<double>> lines;
  std::vector<std::int64_t> index(static_cast<std::size_t>(x.dims()));
  for (const double value : values) {
    std::vector<std::int64_t> key;
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (!reduced[i]) key.push_back(index[i]);
    }
    lines[key].push_back(value);
    for (int i = x.dims() - 1; i >= 0; --i) {
      if (++index[static_cast<std::size_t>(i)] < x.shape()[i]) break;
      index[static_cast<std::size_t>(i)] = 0;
    }
  }
  std::vector<std::vector<double>> result;
  for (auto& [key, line] : lines) result.push_back(std::move(line));
  return result;
}

struct Expected {
  double sum = 0, prod = 1, amax = -inf, amin = inf, count = 0, var = 0, norm3 = 0, logsumexp = 0;
  std::int64_t argmax = 0, argmin = 0;
};

Expected expected_of(const std::vector<double>& line) {
  Expected e;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const double x = line[i];
    e.sum += x;
    e.prod *= x;
    e.count += x != 0;
    if (x > e.amax) e.argmax = static_cast<std::int64_t>(i);
    if (x < e.amin) e.argmin = static_cast<std::int64_t>(i);
    e.amax = std::max(e.amax, x);
    e.amin = std::min(e.amin, x);
    e.norm3 += std::pow(std::abs(x), 3);
    e.logsumexp += std::exp(x);
  }
  const auto n = static_cast<double>(line.size());
  for (const double x : line) e.var += (x - e.sum / n) * (x - e.sum / n) / (n - 1);
  e.norm3 = std::cbrt(e.norm3);
  e.logsumexp = std::log(e.logsumexp);
  return e;
}

template <class T>
class Reduction : public testing::Test {
 protected:
  Numbers numbers{91};
};
using AllTypes = testing::Types<float, double, std::int32_t, std::int64_t, std::uint8_t, std::int8_t, std::int16_t,
                                bool, Float16, BFloat16>;
TYPED_TEST_SUITE(Reduction, AllTypes);

// Units in the last place of the result's type, relative.
double tolerance(DType dtype) {
  if (dtype == DType::float64) return 1e-14;
  if (dtype == DType::float32) return 1e-6;
  return dtype == DType::float16 ? 1e-3 : dtype == DType::bfloat16 ? 8e-3 : 0;
}

void expect_close(const Tensor& result, std::size_t i, double expected, const char* what) {
  const double got = result.to_vector<double>()[i];
  // Products leave float16's range, as they must.
  if (std::isinf(got) && result.dtype() == DType::float16) return;
  ASSERT_NEAR(got, expected, tolerance(result.dtype()) * (std::abs(expected) + 1)) << what << " " << i;
}

TYPED_TEST(Reduction, AgreesOverEverySetOfDimensionsInEveryLayout) {
  using T = TypeParam;
  constexpr DType own = dtype_of<T>;
  constexpr DType summed = is_floating(own) ? own : DType::int64;
  constexpr DType averaged = is_floating(own) ? own : DType::float32;
  const std::vector<std::vector<std::int64_t>> sets = {{0}, {1}, {2}, {0, 1}, {0, 2}, {-1, 1}, {2, 0, 1}};
  for (const Layout layout : all_layouts) {
    for (const std::int64_t size : {1, 2, 5, 19}) {
      const Tensor x = cube<T>(this->numbers, 3, size, layout);
      for (const auto& set : sets) {
        const Dims dims{std::span<const std::int64_t>(set)};
        std::vector<bool> reduced(3);
        for (const std::int64_t dim : set) reduced[static_cast<std::size_t>(dim < 0 ? dim + 3 : dim)] = true;
        const auto lines = lines_of(x, reduced);
        const Tensor sum = x.sum(dims);
        const Tensor prod = x.prod(dims);
        const Tensor mean = x.mean(dims);
        const Tensor amax = x.amax(dims);
        const Tensor amin = x.amin(dims);
        const Tensor any = x.any(dims);
        const Tensor all = x.all(dims);
        const Tensor count = x.count_nonzero(dims);
        const Tensor var = x.var(dims);
        const Tensor norm = x.norm(3, dims);
        const Tensor logsumexp = x.logsumexp(dims);
        ASSERT_EQ(sum.dtype(), summed);
        ASSERT_EQ(prod.dtype(), summed);
        ASSERT_EQ(mean.dtype(), averaged);
        ASSERT_EQ(var.dtype(), averaged);
        ASSERT_EQ(amax.dtype(), own);
        ASSERT_EQ(any.dtype(), DType::boolean);
        ASSERT_EQ(count.dtype(), DType::int64);
        ASSERT_EQ(sum.numel(), static_cast<std::int64_t>(lines.size()));
        ASSERT_EQ(x.amax(dims, true).dims(), 3);
        ASSERT_EQ(x.amax(dims, true).to_vector<double>(), amax.to_vector<double>());
        for (std::size_t i = 0; i < lines.size(); ++i) {
          const Expected e = expected_of(lines[i]);
          const auto n = static_cast<double>(lines[i].size());
          expect_close(sum, i, e.sum, "sum");
          if (std::abs(e.prod) < 1e15) expect_close(prod, i, e.prod, "prod");
          expect_close(mean, i, e.sum / n, "mean");
          ASSERT_EQ(amax.template to_vector<double>()[i], e.amax);
          ASSERT_EQ(amin.template to_vector<double>()[i], e.amin);
          ASSERT_EQ(any.template to_vector<double>()[i], e.count > 0);
          ASSERT_EQ(all.template to_vector<double>()[i], e.count == n);
          ASSERT_EQ(count.template to_vector<double>()[i], e.count);
          if (n > 1) expect_close(var, i, e.var, "var");
          expect_close(norm, i, e.norm3, "norm");
          expect_close(logsumexp, i, e.logsumexp, "logsumexp");
        }
      }
    }
  }
}

TYPED_TEST(Reduction, FindsWhereTheExtremesStand) {
  using T = TypeParam;
  for (const Layout layout : all_layouts) {
    for (const std::int64_t size : {1, 2, 5, 40}) {
      const Tensor x = cube<T>(this->numbers, 3, size, layout);
      const std::vector<double> all = x.to_vector<double>();
      ASSERT_EQ(x.argmax().item(), static_cast<double>(expected_of(all).argmax));
      ASSERT_EQ(x.argmin().item(), static_cast<double>(expected_of(all).argmin));
      std::vector<double> sorted = all;
      std::sort(sorted.begin(), sorted.end());
      ASSERT_EQ(x.median().item(), sorted[(sorted.size() - 1) / 2]);
      ASSERT_EQ(x.max().item(), sorted.back());
      ASSERT_EQ(x.min().item(), sorted.front());
      for (int dim = 0; dim < 3; ++dim) {
        std::vector<bool> reduced(3);
        reduced[static_cast<std::size_t>(dim)] = true;
        const auto lines = lines_of(x, reduced);
        const ValuesIndices max = x.max(dim, true);
        const ValuesIndices min = x.min(dim - 3);
        const ValuesIndices median = x.median(dim);
        const Tensor argmax = x.argmax(dim);
        const Tensor argmin = x.argmin(dim, true);
        ASSERT_EQ(argmin.dims(), 3);
        ASSERT_EQ(max.values.dims(), 3);
        ASSERT_EQ(median.values.dims(), 2);
        ASSERT_EQ(max.values.dtype(), dtype_of<T>);
        ASSERT_EQ(max.indices.template to_vector<std::int64_t>(), argmax.to_vector<std::int64_t>());
        ASSERT_EQ(min.indices.template to_vector<std::int64_t>(), argmin.to_vector<std::int64_t>());
        for (std::size_t i = 0; i < lines.size(); ++i) {
          const Expected e = expected_of(lines[i]);
          ASSERT_EQ(argmax.to_vector<std::int64_t>()[i], e.argmax);
          ASSERT_EQ(argmin.to_vector<std::int64_t>()[i], e.argmin);
          ASSERT_EQ(max.values.template to_vector<double>()[i], e.amax);
          ASSERT_EQ(min.values.template to_vector<double>()[i], e.amin);
          std::vector<double> line = lines[i];
          std::sort(line.begin(), line.end());
          const double middle = line[(line.size() - 1) / 2];
          ASSERT_EQ(median.values.template to_vector<double>()[i], middle);
          ASSERT_EQ(lines[i][static_cast<std::size_t>(median.indices.template to_vector<std::int64_t>()[i])],
                    middle);
        }
      }
    }
  }
}

TYPED_TEST(Reduction, OfLongLinesInBothDirections) {
  // Longer than the tiles and pieces of the kernels.
  using T = TypeParam;
  const bool unsigned_type = std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t>;
  const Tensor x = this->numbers.template tensor<float>({2, 5003}, unsigned_type ? 0 : -2, 2).to(dtype_of<T>);
  for (const Tensor& turned : {x, x.transpose(0, 1).contiguous().transpose(0, 1)}) {
    const auto lines = lines_of(turned, {false, true});
    const Tensor tall = turned.transpose(0, 1);
    for (std::size_t i = 0; i < 2; ++i) {
      const Expected e = expected_of(lines[i]);
      for (const Tensor& sum : {turned.sum(1), tall.sum(0)}) {
        double magnitude = 0;
        for (const double value : lines[i]) magnitude += std::abs(value);
        ASSERT_NEAR(sum.template to_vector<double>()[i], e.sum,
                    tolerance(sum.dtype()) * (std::abs(e.sum) + (is_half(sum.dtype()) ? 0 : magnitude)));
      }
      for (const Tensor& amax : {turned.amax(1), tall.amax(0)}) {
        ASSERT_EQ(amax.template to_vector<double>()[i], e.amax);
      }
      for (const Tensor& argmax : {turned.argmax(1), tall.argmax(0)}) {
        ASSERT_EQ(argmax.template to_vector<std::int64_t>()[i], e.argmax);
      }
      for (const Tensor& argmin : {turned.argmin(1), tall.argmin(0)}) {
        ASSERT_EQ(argmin.template to_vector<std::int64_t>()[i], e.argmin);
      }
      for (const Tensor& var : {turned.var(Dims(1)), tall.var(Dims(0))}) expect_close(var, i, e.var, "var");
    }
    const Tensor wide = turned.amin(0);
    const auto columns = lines_of(turned, {true, false});
    for (std::size_t j = 0; j < columns.size(); ++j) {
      ASSERT_EQ(wide.template to_vector<double>()[j], expected_of(columns[j]).amin);
    }
  }
}

TEST(ReductionSum, OfIntegersWrapsAround) {
  const Tensor big = Tensor::full({2}, 0, DType::int64);
  big.data<std::int64_t>()[0] = std::numeric_limits<std::int64_t>::max();
  big.data<std::int64_t>()[1] = 2;
  EXPECT_EQ(big.sum().to_vector<std::int64_t>()[0], std::numeric_limits<std::int64_t>::min() + 1);
  EXPECT_EQ(big.prod().to_vector<std::int64_t>()[0], -2);
  EXPECT_EQ(big.cumsum(0).to_vector<std::int64_t>()[1], std::numeric_limits<std::int64_t>::min() + 1);
  const Tensor bytes = Tensor::full({1000}, 255, DType::uint8);
  EXPECT_EQ(bytes.sum().item(), 255000);
}

TEST(ReductionSum, StaysAccurateAlongEveryDimensionOfMillions) {
  // Of 1.1: adding one after another in float32 would be off by hundreds.
  const Tensor x = Tensor::full({1'000'003, 5}, 1.1F);
  const double expected = 1'000'003 * static_cast<double>(1.1F);
  const double epsilon = std::numeric_limits<float>::epsilon();
  for (const Tensor& sum : {x.sum(0), x.transpose(0, 1).contiguous().sum(1), x.narrow(1, 1, 3).sum(0),
                            x.transpose(0, 1).contiguous().narrow(1, 1, 1'000'002).narrow(0, 0, 2).sum(1) + 1.1F}) {
    for (const double value : sum.to_vector<double>()) EXPECT_NEAR(value, expected, 16 * epsilon * expected);
  }
  const Tensor stepped = Tensor::full({1'000'003, 2}, 1.1F).narrow(1, 0, 1).sum();
  EXPECT_NEAR(stepped.item(), expected, 16 * epsilon * expected);
  EXPECT_NEAR(x.mean().item(), 1.1F, 16 * epsilon);
  EXPECT_NEAR(x.norm().item(), 1.1F * std::sqrt(5'000'015.0), 4 * epsilon * 2500);
  EXPECT_NEAR(x.narrow(1, 0, 1).reshape({1'000'003}).cumsum(0).narrow(0, 1'000'002, 1).item(), expected,
              epsilon * expected);
}

TEST(ReductionVar, HoldsFarFromZero) {
  const Tensor x = Tensor::from_vector<float>({10000, 10001, 10002, 10003}, {4});
  EXPECT_FLOAT_EQ(static_cast<float>(x.var().item()), 5.0F / 3);
  EXPECT_FLOAT_EQ(static_cast<float>(x.std(Dims(), 0).item()), std::sqrt(1.25F));
  EXPECT_EQ(Tensor::full({100}, 12345.678F).var().item(), 0);
}

TEST(ReductionVar, WithoutDegreesOfFreedomIsNotANumber) {
  EXPECT_TRUE(std::isnan(Tensor::ones({1}).var().item()));
  EXPECT_TRUE(std::isnan(Tensor::ones({0}).var().item()));
  EXPECT_TRUE(std::isnan(Tensor::ones({0}).std(0, 0).item()));
  EXPECT_EQ(Tensor::from_vector<float>({0, 1, 2}, {3}).var(0, 3).item(), inf);
  EXPECT_EQ(Tensor::from_vector<float>({0, 1, 2}, {3}).var(0, 5).item(), inf);
  EXPECT_EQ(Tensor::ones({1}).var(0, 0).item(), 0);
}

TEST(Reductions, OfNothingAreNeutral) {
  const Tensor empty = Tensor::empty({2, 0});
  EXPECT_EQ(empty.sum(1).to_vector<double>(), (std::vector<double>{0, 0}));
  EXPECT_EQ(empty.prod(1).to_vector<double>(), (std::vector<double>{1, 1}));
  EXPECT_TRUE(std::isnan(empty.mean().item()));
  EXPECT_TRUE(std::isnan(empty.median().item()));
  EXPECT_EQ(empty.any().item(), 0);
  EXPECT_EQ(empty.all().item(), 1);
  EXPECT_EQ(empty.count_nonzero().item(), 0);
  EXPECT_EQ(empty.norm(2, 1).to_vector<double>(), (std::vector<double>{0, 0}));
  EXPECT_EQ(empty.norm(inf).item(), 0);
  EXPECT_EQ(empty.logsumexp(1).to_vector<double>(), (std::vector<double>{-inf, -inf}));
  for (const Tensor& none :
       {empty.sum(0), empty.amax(0), empty.argmax(0), empty.max(0).values, empty.median(0).values,
        empty.var(Dims(0)), empty.cumsum(0), empty.softmax(1), empty.log_softmax(0)}) {
    EXPECT_EQ(none.numel(), 0);
  }
}

TEST(Reductions, OfNoDimensionTakeTheFirstOrTheLast) {
  const Tensor x = Tensor::full({}, 3);
  for (const std::int64_t dim : {0, -1}) {
    EXPECT_EQ(x.sum(dim).item(), 3);
    EXPECT_EQ(x.amax(dim, true).dims(), 0);
    EXPECT_EQ(x.max(dim).values.item(), 3);
    EXPECT_EQ(x.median(dim).indices.item(), 0);
    EXPECT_EQ(x.argmin(dim).item(), 0);
    EXPECT_EQ(x.cumsum(dim).item(), 3);
    EXPECT_EQ(x.softmax(dim).item(), 1);
    EXPECT_EQ(x.logsumexp(dim).item(), 3);
  }
}

TYPED_TEST(Reduction, ANaNIsTheLargestTheSmallestAndTheMiddle) {
  using T = TypeParam;
  if constexpr (is_floating(dtype_of<T>)) {
    for (const std::int64_t at : {0, 1, 17, 18, 40}) {
      for (const bool columns : {false, true}) {
        Tensor x = this->numbers.template tensor<float>({41, 3}).to(dtype_of<T>);
        x.narrow(0, at, 1).narrow(1, 1, 1).fill_(nan);
        if (at == 17) x.narrow(0, 18, 1).narrow(1, 1, 1).fill_(inf);
        if (at == 0) x.narrow(0, 30, 1).narrow(1, 1, 1).fill_(nan);
        if (!columns) x = x.transpose(0, 1).contiguous().transpose(0, 1);
        for (const Tensor& result : {x.amax(0), x.amin(0), x.max(0).values, x.min(0).values, x.median(0).values,
                                     x.sum(0), x.logsumexp(0), x.norm(inf, 0), x.norm(-inf, 0)}) {
          const auto values = result.template to_vector<double>();
          EXPECT_TRUE(std::isnan(values[1])) << at;
          EXPECT_FALSE(std::isnan(values[0]) || std::isnan(values[2])) << at;
        }
        EXPECT_EQ(x.argmax(0).template to_vector<std::int64_t>()[1], at);
        EXPECT_EQ(x.argmin(0).template to_vector<std::int64_t>()[1], at);
        EXPECT_EQ(x.median(0).indices.template to_vector<std::int64_t>()[1], at);
        EXPECT_EQ(x.argmax().item(), static_cast<double>(at * 3 + 1));
        EXPECT_TRUE(std::isnan(x.max().item()));
        EXPECT_TRUE(std::isnan(x.median().item()));
        EXPECT_EQ(x.count_nonzero(0).template to_vector<std::int64_t>()[1], 41);
        EXPECT_EQ(x.norm(0, 0).template to_vector<double>()[1], 41);
      }
    }
  }
}

TEST(ReductionNorm, OfEveryOrder) {
  const Tensor x = Tensor::from_vector<double>({3, -4, 0, 1}, {4});
  EXPECT_EQ(x.norm(0).item(), 3);
  EXPECT_EQ(x.norm(1).item(), 8);
  EXPECT_DOUBLE_EQ(x.norm().item(), std::sqrt(26.0));
  EXPECT_EQ(x.norm(inf).item(), 4);
  EXPECT_EQ(x.norm(-inf).item(), 0);
  EXPECT_EQ(x.norm(-1).item(), 0);
  EXPECT_DOUBLE_EQ(x.norm(0.5).item(), std::pow(std::sqrt(3.0) + 2 + 1, 2));
  // Beyond the root of the largest number.
  EXPECT_FLOAT_EQ(static_cast<float>(Tensor::full({4}, 1e30F).norm().item()), 2e30F);
}

TEST(ReductionLogsumexp, HoldsAtExtremes) {
  const Tensor x =
      Tensor::from_vector<float>({1000, 1000, -1000, -1000, -INFINITY, -INFINITY, INFINITY, 0}, {4, 2});
  const std::vector<float> result = x.logsumexp(1).to_vector<float>();
  EXPECT_FLOAT_EQ(result[0], 1000 + std::log(2.0F));
  EXPECT_FLOAT_EQ(result[1], -1000 + std::log(2.0F));
  EXPECT_EQ(result[2], -INFINITY);
  EXPECT_EQ(result[3], INFINITY);
  EXPECT_EQ(x.transpose(0, 1).contiguous().logsumexp(0).to_vector<float>(), result);
}

}  // namespace
}  // namespace feral
