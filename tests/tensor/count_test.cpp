// Counting against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/tensor/elements.hpp"
#include "tests/tensor/targets.hpp"

namespace feral {
namespace {

using namespace testing_support;

TEST(Bincount, CountsOfEveryIntegerType) {
  for (const DType dtype : {DType::uint8, DType::int8, DType::int16, DType::int32, DType::int64}) {
    const Tensor matrix = small_matrix(dtype, 30, 3, Layout::contiguous);
    const Tensor x = matrix.narrow(1, 1, 1).reshape({30});  // with a stride
    const std::vector<std::int64_t> numbers = x.to_vector<std::int64_t>();
    const std::int64_t length = *std::max_element(numbers.begin(), numbers.end()) + 1;
    for (const std::int64_t least : {std::int64_t{0}, std::int64_t{5}, length + 7}) {
      expect_elements(x.bincount({}, least), {std::max(length, least)}, DType::int64, [&](const Position& p) {
        return static_cast<double>(std::count(numbers.begin(), numbers.end(), p[0]));
      });
    }
    for (const DType weight_dtype : all_dtypes) {
      const Tensor weights = small_matrix(weight_dtype, 30, 2, Layout::transposed).narrow(1, 1, 1).reshape({30});
      const DType expected = weight_dtype == DType::float32 ? DType::float32 : DType::float64;
      expect_elements(x.bincount(weights), {length}, expected, [&](const Position& p) {
        double sum = 0;
        for (std::int64_t i = 0; i < 30; ++i)
          sum += numbers[static_cast<std::size_t>(i)] == p[0] ? element(weights, {i}) : 0;
        return sum;
      });
    }
  }
}

TEST(Bincount, OfNothing) {
  const Tensor none = Tensor::empty({0}, DType::int64);
  expect_vector<std::int64_t>(none.bincount(), {0}, {});
  expect_vector<std::int64_t>(none.bincount({}, 2), {2}, {0, 0});
  expect_vector<float>(none.bincount(Tensor::empty({0}), 2), {2}, {0, 0});
}

TEST(Histogram, CountsInEqualBins) {
  const Tensor x = Tensor::from_vector<float>(
      {1, 2, 3, 1.5, 2.999F, 0.999F, 3.001F, std::nanf(""), INFINITY, -INFINITY}, {2, 5});
  expect_vector<float>(x.histogram(2, 1, 3), {2}, {2, 3});
  expect_vector<float>(x.transpose(0, 1).histogram(4, 1, 3), {4}, {1, 1, 1, 2});
  expect_vector<double>(x.to(DType::float64).histogram(1, 1, 3), {1}, {5});
  // Their own range.
  const Tensor own = Tensor::from_vector<double>({4, 0, 1, 2, 4}, {5});
  expect_vector<double>(own.histogram(4), {4}, {1, 1, 1, 2});
  expect_vector<double>(own.histogram(4, 7, 7), {4}, {1, 1, 1, 2});
  // All alike: one to either side.
  expect_vector<float>(Tensor::full({2}, 2).histogram(3), {3}, {0, 2, 0});
  expect_vector<float>(Tensor::empty({0}).histogram(3), {3}, {0, 0, 0});
  expect_vector<float>(Tensor::full({}, 2).histogram(1), {1}, {1});
  EXPECT_EQ(own.to(DType::float16).histogram(4).dtype(), DType::float16);
  EXPECT_EQ(own.to(DType::bfloat16).histogram(4).to_vector<double>(), (std::vector<double>{1, 1, 1, 2}));
}

// Each element's bin as PyTorch's torch.histc finds it: (x - low) * bins / (high - low), rounded at each step.
template <class T>
void expect_bins_of_histc(std::int64_t bins, T low, T high) {
  Numbers numbers(5);
  std::vector<T> values;
  for (int i = 0; i < 5003; ++i) values.push_back(static_cast<T>(numbers.next(-1.5, 1.5)));
  for (std::int64_t i = 0; i <= 64; ++i) {  // edges, and their neighbours
    const T edge = low + (high - low) * static_cast<T>(i) / 64;
    for (const T value : {edge, std::nextafter(edge, T{-9}), std::nextafter(edge, T{9})}) values.push_back(value);
  }
  std::vector<T> counts(static_cast<std::size_t>(bins), 0);
  for (const T value : values) {
    if (value < low || value > high) continue;
    const T place = (value - low) * static_cast<T>(bins) / (high - low);
    counts[static_cast<std::size_t>(std::min(static_cast<std::int64_t>(place), bins - 1))] += 1;
  }
  const auto n = static_cast<std::int64_t>(values.size());
  expect_vector(Tensor::from_vector(values, {n}).histogram(bins, low, high), {bins}, counts);
}

TEST(Histogram, RoundsAsHistcOnEveryTarget) {
  for (const std::int64_t target : testing_support::targets()) {
    const testing_support::OnTarget scope(target);
    for (const std::int64_t bins : {1, 2, 7, 64, 100, 1000, 5000}) {
      expect_bins_of_histc<float>(bins, -1, 1);
      expect_bins_of_histc<float>(bins, -0.3F, 0.7F);
      expect_bins_of_histc<double>(bins, -1, 1);
      expect_bins_of_histc<double>(bins, -0.3, 0.7);
    }
  }
}

TEST(Histogram, EveryLayout) {
  Numbers numbers(4);
  for (const Layout layout : all_layouts) {
    const Tensor x = numbers.matrix<double>(13, 17, layout);
    std::vector<double> counts(8, 0);
    for (const double value : x.to_vector<double>()) {
      for (int bin = 0; bin < 8; ++bin)
        counts[static_cast<std::size_t>(bin)] += value >= -1 + 0.25 * bin && value < -0.75 + 0.25 * bin ? 1 : 0;
    }
    expect_vector(x.histogram(8, -1, 1), {8}, counts);
  }
}

}  // namespace
}  // namespace feral
