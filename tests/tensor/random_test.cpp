// Dropout and uniform numbers: what is drawn, and from where.
#include <gtest/gtest.h>

#include <cmath>

#include "tensor/philox.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::cpu_kernels;
using testing_support::sweep_sizes;

template <class T>
class Random : public testing::Test {
 protected:
  static std::vector<T> dropped(const Tensor& x, const DropoutDraw& draw) {
    const Tensor out = Tensor::empty(x.shape(), dtype_of<T>);
    cpu_kernels().dropout(out, x, draw);
    return out.to_vector<T>();
  }
  static std::vector<T> uniform(std::int64_t n, double low, double high, std::uint64_t seed = 1,
                                std::uint64_t stream = 0, std::uint64_t block = 0) {
    const Tensor out = Tensor::empty({n}, dtype_of<T>);
    cpu_kernels().uniform(out, low, high, {seed, stream, block});
    return out.to_vector<T>();
  }
};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Random, FloatingTypes);

TYPED_TEST(Random, DropoutFollowsThePhiloxWords) {
  for (const std::int64_t n : sweep_sizes) {
    const Tensor x = Tensor::full({n}, 3, dtype_of<TypeParam>);
    const DropoutDraw draw{.probability = 0.25F, .position = {5, 6, 7}};
    const auto out = this->dropped(x, draw);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint32_t word = philox(5, 6, 7 + i / 4)[i % 4];
      const TypeParam kept = 3 * (TypeParam{1} / (TypeParam{1} - TypeParam{0.25}));
      ASSERT_EQ(out[i], to_unit_float(word) < 0.25F ? TypeParam{0} : kept) << i << " of " << n;
    }
  }
}

TYPED_TEST(Random, DropoutDropsItsShareAndKeepsTheMean) {
  constexpr std::int64_t n = 200'000;
  const Tensor x = Tensor::ones({n}, dtype_of<TypeParam>);
  for (const float probability : {0.1F, 0.5F, 0.9F}) {
    const auto out = this->dropped(x, {.probability = probability, .position = {.seed = 3}});
    double zeros = 0;
    double sum = 0;
    for (const TypeParam value : out) {
      zeros += value == 0;
      sum += value;
      ASSERT_NEAR(value, value == 0 ? 0 : 1 / (1 - static_cast<double>(probability)), 1e-6 * value);
    }
    // Five standard deviations of a binomial share.
    const double deviation = std::sqrt(probability * (1 - probability) / n);
    EXPECT_NEAR(zeros / n, probability, 5 * deviation);
    EXPECT_NEAR(sum / n, 1, 5 * deviation / (1 - probability));
  }
}

TYPED_TEST(Random, DropoutGroupsShareOneDraw) {
  constexpr std::int64_t groups = 4000;
  const Tensor x = Tensor::ones({groups, 3, 3}, dtype_of<TypeParam>);
  const auto out = this->dropped(x, {.probability = 0.5F, .group = 9, .position = {.seed = 8}});
  int zeros = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t k = 1; k < 9; ++k) ASSERT_EQ(out[g * 9 + k], out[g * 9]) << g;
    const std::uint32_t word = philox(8, 0, g / 4)[g % 4];
    ASSERT_EQ(out[g * 9] == 0, to_unit_float(word) < 0.5F);
    zeros += out[g * 9] == 0;
  }
  EXPECT_NEAR(zeros, groups / 2, 5 * std::sqrt(groups / 4.0));
}

TYPED_TEST(Random, DropoutIsDeterminedByItsPosition) {
  const Tensor x = Tensor::ones({500}, dtype_of<TypeParam>);
  const DropoutDraw draw{.probability = 0.5F, .position = {1, 2, 3}};
  const auto first = this->dropped(x, draw);
  EXPECT_EQ(this->dropped(x, draw), first);
  DropoutDraw other = draw;
  other.position.seed = 9;
  EXPECT_NE(this->dropped(x, other), first);
  other = draw;
  other.position.stream = 9;
  EXPECT_NE(this->dropped(x, other), first);
  other = draw;
  other.position.block = 4;
  const auto later = this->dropped(x, other);
  EXPECT_TRUE(std::equal(later.begin(), later.end() - 4, first.begin() + 4)) << "blocks follow one another";
}

TYPED_TEST(Random, DropoutOfAllOrNothing) {
  const Tensor x = Tensor::full({33}, 2, dtype_of<TypeParam>);
  EXPECT_EQ(this->dropped(x, {.probability = 1.0F}), std::vector<TypeParam>(33, 0));
  EXPECT_EQ(this->dropped(x, {.probability = 0.0F}), std::vector<TypeParam>(33, 2));
}

TYPED_TEST(Random, UniformFollowsThePhiloxWords) {
  for (const std::int64_t n : sweep_sizes) {
    const auto out = this->uniform(n, -2, 6, 11, 12, 13);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const PhiloxBlock pair = philox(11, 12, 13 + i / 2);
      const double unit = sizeof(TypeParam) == 4 ? to_unit_float(philox(11, 12, 13 + i / 4)[i % 4])
                                                 : to_unit_double(pair[i % 2 * 2], pair[i % 2 * 2 + 1]);
      ASSERT_EQ(out[i], static_cast<TypeParam>(-2 + 8 * unit));
    }
  }
}

TYPED_TEST(Random, UniformHasTheMomentsOfItsRange) {
  constexpr std::int64_t n = 200'000;
  double sum = 0;
  double squares = 0;
  for (const TypeParam value : this->uniform(n, -3, 5)) {
    ASSERT_GE(value, -3);
    ASSERT_LT(value, 5);
    sum += value;
    squares += (static_cast<double>(value) - 1) * (static_cast<double>(value) - 1);
  }
  const double variance = 64.0 / 12;
  EXPECT_NEAR(sum / n, 1, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 5 * std::sqrt((4096.0 / 80 - variance * variance) / n));
}

TYPED_TEST(Random, UniformStaysBelowItsUpperEndDespiteRounding) {
  // Around 1000 a float32 step is a thousand times that of the drawn numbers: the largest of them round up.
  for (const TypeParam value : this->uniform(200'000, 1000, 1001)) {
    ASSERT_GE(value, 1000);
    ASSERT_LT(value, 1001);
  }
}

TYPED_TEST(Random, UniformOfAnEmptyRangeIsItsEnd) {
  EXPECT_EQ(this->uniform(5, 2, 2), std::vector<TypeParam>(5, 2));
}

}  // namespace
}  // namespace feral
