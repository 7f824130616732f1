// Tensor's random methods: distributions, positions, wrong calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/cpu/normal_quantile.hpp"
#include "tensor/generator.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::contains;
using testing_support::error_of;

constexpr std::int64_t many = 200'000;

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments m;
  for (const double value : values) m.mean += value / static_cast<double>(values.size());
  for (const double value : values)
    m.variance += (value - m.mean) * (value - m.mean) / static_cast<double>(values.size());
  return m;
}

// Pearson's statistic of `values` against the distribution function, in `bins` bins of equal probability.
double chi_square(const std::vector<double>& values, const std::function<double(double)>& distribution,
                  int bins = 100) {
  std::vector<double> counts(static_cast<std::size_t>(bins));
  for (const double value : values) {
    const double p = std::clamp(distribution(value), 0.0, 1.0);
    ++counts[static_cast<std::size_t>(std::min(static_cast<int>(p * bins), bins - 1))];
  }
  const double expected = static_cast<double>(values.size()) / bins;
  double sum = 0;
  for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// 99 degrees of freedom: mean 99, standard deviation 14.1. Outside of this once in a million draws; the seeds are
// fixed.
constexpr double chi_square_low = 45;
constexpr double chi_square_high = 175;

#define EXPECT_PLAUSIBLE(statistic)   \
  do {                                \
    const double seen = (statistic);  \
    EXPECT_GT(seen, chi_square_low);  \
    EXPECT_LT(seen, chi_square_high); \
  } while (false)

class RandomNumbers : public testing::TestWithParam<DType> {
 protected:
  Tensor numbers(std::int64_t n = many) const { return Tensor::empty({n}, GetParam()); }
  Generator generator{12, 3};
};
INSTANTIATE_TEST_SUITE_P(Types, RandomNumbers, testing::Values(DType::float32, DType::float64),
                         [](const auto& type) { return std::string(name_of(type.param)); });

TEST_P(RandomNumbers, UniformIsUniform) {
  const auto values = numbers().uniform_(-1, 3, &generator).to_vector<double>();
  EXPECT_PLAUSIBLE(chi_square(values, [](double x) { return (x + 1) / 4; }));
}

TEST_P(RandomNumbers, NormalHasMomentsAndShape) {
  const auto values = numbers().normal_(2, 3, &generator).to_vector<double>();
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 2, 5 * 3 / std::sqrt(many));
  EXPECT_NEAR(m.variance, 9, 5 * 9 * std::sqrt(2.0 / many));
  EXPECT_PLAUSIBLE(chi_square(values, [](double x) { return cpu::normal_distribution((x - 2) / 3); }));
  // Neighbours are made of the same words: they must not be correlated.
  double product = 0;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) product += (values[i] - 2) * (values[i + 1] - 2) / 9;
  EXPECT_NEAR(product / (many / 2), 0, 5 / std::sqrt(many / 2));
}

TEST_P(RandomNumbers, ExponentialHasMomentsAndShape) {
  const auto values = numbers().exponential_(2.5, &generator).to_vector<double>();
  EXPECT_GE(*std::min_element(values.begin(), values.end()), 0);
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 0.4, 5 * 0.4 / std::sqrt(many));
  EXPECT_NEAR(m.variance, 0.16, 5 * 0.16 * std::sqrt(8.0 / many));
  EXPECT_PLAUSIBLE(chi_square(values, [](double x) { return -std::expm1(-2.5 * x); }));
}

TEST_P(RandomNumbers, TruncatedNormalStaysWithinAndHasItsShape) {
  for (const auto& [low, high] : {std::pair{-1.0, 2.0}, {1.5, 4.0}, {-9.0, -2.0}, {3.0, 3.0}}) {
    const auto values = numbers().truncated_normal_(0.5, 1.5, low, high, &generator).to_vector<double>();
    EXPECT_GE(*std::min_element(values.begin(), values.end()), low);
    EXPECT_LE(*std::max_element(values.begin(), values.end()), high);
    if (low == high) continue;
    const auto below = [](double x) { return cpu::normal_distribution((x - 0.5) / 1.5); };
    const double first = below(low);
    const double width = below(high) - first;
    EXPECT_PLAUSIBLE(chi_square(values, [&](double x) { return (below(x) - first) / width; }));
  }
}

TEST_P(RandomNumbers, TruncatedNormalReachesFarIntoTheUpperTail) {
  // Beyond 9 standard deviations the distribution function is 1 in float64.
  const auto values = numbers().truncated_normal_(0, 1, 9, 10, &generator).to_vector<double>();
  const double all = cpu::normal_distribution(-9) - cpu::normal_distribution(-10);
  EXPECT_PLAUSIBLE(chi_square(
      values, [&](double x) { return (cpu::normal_distribution(-9) - cpu::normal_distribution(-x)) / all; }));
}

TEST_P(RandomNumbers, FillsFollowOneAnotherInTheStream) {
  // What one call draws, two calls draw: the position decides, not the call. Eight numbers end with a block.
  Generator one(5, 6);
  Generator two(5, 6);
  const auto whole = numbers(16).normal_(0, 1, &one).to_vector<double>();
  auto parts = numbers(8).normal_(0, 1, &two).to_vector<double>();
  const auto rest = numbers(8).normal_(0, 1, &two).to_vector<double>();
  parts.insert(parts.end(), rest.begin(), rest.end());
  EXPECT_EQ(whole, parts);
  EXPECT_EQ(one.next_block(), two.next_block());
  const auto prefix = numbers(7).normal_(0, 1, &(one = Generator(5, 6))).to_vector<double>();
  EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), whole.begin())) << "the length changes nothing before it";
}

TEST_P(RandomNumbers, ReachStridedTensorsElementByElement) {
  const Tensor whole = Tensor::zeros({6, 4}, GetParam());
  Generator other = generator;
  whole.transpose(0, 1).narrow(0, 1, 2).uniform_(1, 2, &generator);
  const auto plain = numbers(12).uniform_(1, 2, &other).to_vector<double>();
  EXPECT_EQ(whole.transpose(0, 1).narrow(0, 1, 2).to_vector<double>(), plain);
  EXPECT_EQ(whole.narrow(1, 0, 1).to_vector<double>(), std::vector<double>(6, 0));
  EXPECT_EQ(whole.narrow(1, 3, 1).to_vector<double>(), std::vector<double>(6, 0));
}

TEST(RandomHalf, IsMadeInFloat32AndRounded) {
  Generator one(4);
  Generator two(4);
  const Tensor half = Tensor::randn({100}, DType::bfloat16, &one);
  EXPECT_EQ(half.to_vector<float>(),
            Tensor::randn({100}, DType::float32, &two).to(DType::bfloat16).to_vector<float>());
}

TEST(RandomIntegers, AreUniformOverTheirRange) {
  Generator generator(7);
  for (const DType dtype : {DType::int64, DType::int16, DType::uint8, DType::float32}) {
    const auto values = Tensor::randint(3, 103, {many}, dtype, &generator).to_vector<double>();
    EXPECT_PLAUSIBLE(chi_square(values, [](double x) { return (x - 3 + 0.5) / 100; }));
  }
}

TEST(RandomIntegers, CoverTheWholeOfInt64AndOfInt8) {
  Generator generator(8);
  const auto wide =
      Tensor::randint(INT64_MIN, INT64_MAX, {1000}, DType::int64, &generator).to_vector<std::int64_t>();
  EXPECT_LT(*std::min_element(wide.begin(), wide.end()), INT64_MIN / 100 * 98);
  EXPECT_GT(*std::max_element(wide.begin(), wide.end()), INT64_MAX / 100 * 98);
  const auto narrow = Tensor::randint(-128, 128, {5000}, DType::int8, &generator).to_vector<int>();
  EXPECT_EQ(*std::min_element(narrow.begin(), narrow.end()), -128);
  EXPECT_EQ(*std::max_element(narrow.begin(), narrow.end()), 127);
}

TEST(RandomBernoulli, HasItsShareOfOnes) {
  Generator generator(9);
  for (const double p : {0.0, 0.001, 0.3, 1.0}) {
    for (const DType dtype : {DType::boolean, DType::float32, DType::int64}) {
      const auto ones = Tensor::empty({many}, dtype).bernoulli_(p, &generator).to_vector<double>();
      EXPECT_NEAR(moments_of(ones).mean, p, 5 * std::sqrt(p * (1 - p) / many) + 1e-9);
    }
  }
  const Tensor each = Tensor::from_vector<float>({0, 0.25F, 1}, {3}).expand({many, 3});
  const Tensor drawn = each.bernoulli(&generator);
  EXPECT_EQ(drawn.dtype(), DType::float32);
  const auto of_column = [&](std::int64_t column) {
    return moments_of(drawn.narrow(1, column, 1).to_vector<double>()).mean;
  };
  EXPECT_EQ(of_column(0), 0);
  EXPECT_NEAR(of_column(1), 0.25, 5 * std::sqrt(0.25 * 0.75 / many));
  EXPECT_NEAR(of_column(2), 1, 1e-9);
}

TEST(RandomPermutation, HoldsEveryNumberOnceInAnyOrder) {
  Generator generator(10);
  auto order = Tensor::randperm(1000, &generator).to_vector<std::int64_t>();
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(Tensor::randperm(0, &generator).numel(), 0);

  // Each of the 24 orders of four comes up as often.
  std::vector<double> counts(24);
  constexpr int draws = 24'000;
  for (int draw = 0; draw < draws; ++draw) {
    auto four = Tensor::randperm(4, &generator).to_vector<std::int64_t>();
    std::size_t rank = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      std::size_t smaller = 0;
      for (std::size_t k = i + 1; k < 4; ++k) smaller += four[k] < four[i];
      rank = rank * (4 - i) + smaller;
    }
    ++counts[rank];
  }
  double statistic = 0;
  for (const double count : counts) statistic += (count - 1000) * (count - 1000) / 1000;
  EXPECT_LT(statistic, 65) << "23 degrees of freedom: beyond 65 less than once in 10^5";
  EXPECT_GT(statistic, 4);
}

TEST(RandomMultinomial, WithReplacementFollowsTheWeights) {
  Generator generator(11);
  const Tensor weights = Tensor::from_vector<double>({1, 0, 3, 4, 0, 2, 2, 0}, {2, 4});
  const Tensor drawn = weights.multinomial(many, true, &generator);
  EXPECT_EQ(drawn.shape(), (Shape{2, many}));
  const std::vector<std::vector<double>> expected = {{0.125, 0, 0.375, 0.5}, {0, 0.5, 0.5, 0}};
  for (std::int64_t row = 0; row < 2; ++row) {
    std::vector<double> share(4);
    for (const std::int64_t k : drawn.narrow(0, row, 1).to_vector<std::int64_t>())
      share.at(static_cast<std::size_t>(k)) += 1.0 / many;
    for (std::size_t k = 0; k < 4; ++k) {
      const double p = expected[static_cast<std::size_t>(row)][k];
      EXPECT_NEAR(share[k], p, 5 * std::sqrt(p * (1 - p) / many)) << row << " " << k;
    }
  }
}

TEST(RandomMultinomial, WithoutReplacementDrawsEachOnceTheHeavyOnesFirst) {
  Generator generator(12);
  const Tensor weights = Tensor::from_vector<float>({1, 2, 0, 7}, {4});
  constexpr int draws = 20'000;
  std::vector<double> first(4);
  for (int i = 0; i < draws; ++i) {
    auto drawn = weights.multinomial(3, false, &generator).to_vector<std::int64_t>();
    first.at(static_cast<std::size_t>(drawn[0])) += 1.0 / draws;
    std::sort(drawn.begin(), drawn.end());
    ASSERT_EQ(drawn, (std::vector<std::int64_t>{0, 1, 3}));
  }
  for (const auto& [column, p] : {std::pair<std::size_t, double>{0, 0.1}, {1, 0.2}, {2, 0}, {3, 0.7}}) {
    EXPECT_NEAR(first[column], p, 5 * std::sqrt(p * (1 - p) / draws)) << column;
  }
}

TEST(RandomCalls, UseTheThreadsGeneratorWhenNoneIsGiven) {
  manual_seed(77);
  const auto first = Tensor::rand({10}).to_vector<float>();
  const auto second = Tensor::rand({10}).to_vector<float>();
  EXPECT_NE(first, second);
  manual_seed(77);
  EXPECT_EQ(Tensor::rand({10}).to_vector<float>(), first);
  Generator own(77);
  EXPECT_EQ(Tensor::rand({10}, DType::float32, &own).to_vector<float>(), first);
}

TEST(RandomCalls, KnownValuesStay) {
  // From the definition, by hand: word 0 of (seed 1, stream 2) and the formulas of tensor/kernels/random.hpp.
  Generator generator(1, 2);
  const PhiloxBlock words = philox(1, 2, 0);
  const double u = (words[0] + 1.0) / 4294967296.0;
  const double v = (words[1] >> 8) / 16777216.0;
  const auto normal = Tensor::randn({2}, DType::float32, &generator).to_vector<double>();
  EXPECT_NEAR(normal[0], std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v), 1e-5);
  EXPECT_NEAR(normal[1], std::sqrt(-2 * std::log(u)) * std::sin(2 * M_PI * v), 1e-5);
}

TEST(NormalQuantile, InvertsTheDistributionFunction) {
  for (double x = -37; x < 8; x += 0.37) {
    const double p = cpu::normal_distribution(x);
    if (p > 0.99) break;
    EXPECT_NEAR(cpu::normal_quantile(p), x, 1e-12 * std::max(1.0, std::abs(x)));
  }
  EXPECT_EQ(cpu::normal_quantile(0.5), 0);
  EXPECT_NEAR(cpu::normal_quantile(0.975), 1.959963984540054, 1e-14);
}

TEST(RandomErrors, NameTheMethodAndTheValue) {
  const Tensor x = Tensor::zeros({4});
  const Tensor whole = Tensor::zeros({4}, DType::int32);
  const auto expect = [](const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) EXPECT_TRUE(contains(message, part)) << part << " in: " << message;
  };
  expect(error_of([&] { whole.normal_(); }), {"normal_: ", "int32"});
  expect(error_of([&] { x.normal_(0, -1); }), {"normal_: ", "-1"});
  expect(error_of([&] { x.uniform_(2, 1); }), {"uniform_: ", "2", "1"});
  expect(error_of([&] { x.exponential_(0); }), {"exponential_: ", "0"});
  expect(error_of([&] { x.truncated_normal_(0, 1, 2, 1); }), {"truncated_normal_: ", "2"});
  expect(error_of([&] { x.truncated_normal_(0, 0); }), {"truncated_normal_: ", "0"});
  expect(error_of([&] { x.bernoulli_(1.5); }), {"bernoulli_: ", "1.5"});
  expect(error_of([&] { (void)Tensor::full({1}, -0.5).bernoulli(); }), {"bernoulli: ", "-0.5"});
  expect(error_of([&] { (void)whole.bernoulli(); }), {"bernoulli: ", "int32"});
  expect(error_of([&] { (void)Tensor::randint(5, 5, {2}); }), {"randint: ", "[5, 5)"});
  expect(error_of([&] { (void)Tensor::randint(0, 300, {2}, DType::uint8); }), {"random_: ", "uint8", "300", "255"});
  expect(error_of([&] { (void)Tensor::randperm(-1); }), {"randperm: ", "-1"});
  expect(error_of([&] { (void)x.multinomial(1); }), {"multinomial: ", "row 0", "0"});
  expect(error_of([&] { (void)Tensor::ones({4}).multinomial(5); }), {"multinomial: ", "5 samples", "4 weights"});
  expect(error_of([&] { (void)Tensor::full({2}, -1).multinomial(1); }), {"multinomial: ", "-1"});
  expect(error_of([&] { (void)Tensor::ones({4}).multinomial(0); }), {"multinomial: ", "0 samples"});
  expect(error_of([&] { (void)Tensor::ones({2, 2, 2}).multinomial(1); }), {"multinomial: ", "[2, 2, 2]"});
  expect(error_of([&] { (void)whole.multinomial(1); }), {"multinomial: ", "int32"});
  expect(error_of([&] { Tensor().uniform_(); }), {"uniform_: ", "undefined"});
}

}  // namespace
}  // namespace feral
