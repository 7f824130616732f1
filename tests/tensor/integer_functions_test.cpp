// Functions of two and three operands, of integers, tests of elements, plain numbers, and conversions.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::all_layouts;
using testing_support::at;
using testing_support::Layout;
using testing_support::Numbers;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using Ints = std::vector<std::int64_t>;
using Bools = std::vector<bool>;

TEST(FunctionsOfTwo, HaveKnownValues) {
  const auto of = [](Tensor (Tensor::*method)(const Tensor&) const, double a, double b, DType dtype) {
    return (Tensor::full({}, a, dtype).*method)(Tensor::full({}, b, dtype)).item();
  };
  for (const DType dtype : {DType::float32, DType::float64}) {
    EXPECT_EQ(of(&Tensor::logaddexp2, 3, 3, dtype), 4);
    EXPECT_EQ(of(&Tensor::logaddexp2, infinity, -infinity, dtype), infinity);
    EXPECT_EQ(of(&Tensor::logaddexp2, -infinity, -infinity, dtype), -infinity);
    EXPECT_NEAR(of(&Tensor::logaddexp2, 1, -2, dtype), 1.16992500144231236, 2e-7);
    EXPECT_EQ(of(&Tensor::xlogy, 0, -1, dtype), 0);
    EXPECT_EQ(of(&Tensor::xlogy, 0, infinity, dtype), 0);
    EXPECT_TRUE(std::isnan(of(&Tensor::xlogy, 0, nan, dtype)));
    EXPECT_EQ(of(&Tensor::xlogy, 1, 0, dtype), -infinity);
    EXPECT_EQ(of(&Tensor::copysign, 2, -0.0, dtype), -2);
    EXPECT_EQ(of(&Tensor::floor_divide, -7, 2, dtype), -4);
    EXPECT_EQ(of(&Tensor::floor_divide, 7, -2, dtype), -4);
    EXPECT_EQ(of(&Tensor::floor_divide, 1, 0, dtype), infinity);
    EXPECT_TRUE(std::isnan(of(&Tensor::floor_divide, infinity, 1, dtype)));
    EXPECT_TRUE(std::signbit(of(&Tensor::floor_divide, -0.0, 2, dtype)));
    EXPECT_EQ(of(&Tensor::floor_divide, 1, 0.1, dtype), dtype == DType::float32 ? 9 : 9);
  }
  EXPECT_EQ(of(&Tensor::nextafter, 1, 2, DType::float32), 1 + 0x1p-23);
  EXPECT_EQ(of(&Tensor::nextafter, 0, -1, DType::float64), -std::numeric_limits<double>::denorm_min());
  const Tensor x = Tensor::from_vector<float>({1, -8}, {2});
  EXPECT_EQ(x.lerp(Tensor::full({}, 9), 0.25).to_vector<float>(), (std::vector<float>{3, -3.75}));
  EXPECT_EQ(x.lerp(Tensor::full({2}, 9), Tensor::from_vector<float>({0, 1}, {2})).to_vector<float>(),
            (std::vector<float>{1, 9}));
  EXPECT_EQ(x.addcmul(x, Tensor::full({}, 3), 2).to_vector<float>(), (std::vector<float>{7, -56}));
  EXPECT_EQ(x.addcdiv(x, Tensor::full({}, 4), 2).to_vector<float>(), (std::vector<float>{1.5, -12}));
  const Tensor i = Tensor::from_vector<std::int64_t>({2, 3}, {2});
  EXPECT_EQ(i.addcmul(i, i, 2).to_vector<std::int64_t>(), (Ints{10, 21}));
  EXPECT_EQ(x.to(DType::bfloat16).lerp(x.to(DType::bfloat16), 0.5).dtype(), DType::bfloat16);
}

// Every layout of three operands against the index-by-index twin.
TEST(FunctionsOfTwo, OfThreeOperandsWalkEveryLayout) {
  Numbers numbers(5);
  for (const Layout layout : all_layouts) {
    for (const Layout other : {Layout::contiguous, Layout::transposed}) {
      const Tensor a = numbers.matrix<double>(3, 5, layout);
      const Tensor b = numbers.matrix<double>(3, 5, other);
      const Tensor c = numbers.matrix<double>(3, 5, layout, 0.5, 2);
      const Tensor product = a.addcmul(b, c, 0.5);
      const Tensor clamped = a.clamp(-0.25, 0.5);
      for (std::int64_t i = 0; i < 3; ++i) {
        for (std::int64_t j = 0; j < 5; ++j) {
          EXPECT_NEAR(at<double>(product, i, j),
                      at<double>(a, i, j) + 0.5 * at<double>(b, i, j) * at<double>(c, i, j), 1e-15);
          EXPECT_EQ(at<double>(clamped, i, j), std::fmin(std::fmax(at<double>(a, i, j), -0.25), 0.5));
        }
      }
    }
  }
}

template <class T>
class IntegerFunctions : public testing::Test {};
using IntegerTypes = testing::Types<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(IntegerFunctions, IntegerTypes);

// Against arithmetic in 128 bits, at the ends of the range, too.
TYPED_TEST(IntegerFunctions, AgreeWithWideArithmetic) {
  using T = TypeParam;
  __extension__ using Wide = __int128;
  constexpr T low = std::numeric_limits<T>::min();
  constexpr T high = std::numeric_limits<T>::max();
  const std::vector<T> values = {low, static_cast<T>(low + 1),  T(-7), T(-2), T(-1), 0, 1, 2, 3, 7, 8, 31, 64,
                                 100, static_cast<T>(high - 1), high};
  const auto magnitude = [](Wide a) { return a < 0 ? -a : a; };
  const auto gcd = [&](Wide a, Wide b) {
    a = magnitude(a);
    b = magnitude(b);
    while (b != 0) a = std::exchange(b, a % b);
    return a;
  };
  const Wide width = 8 * sizeof(T);
  for (const T first : values) {
    for (const T second : values) {
      const Wide a = first;
      const Wide b = second;
      const Tensor x = Tensor::from_vector<T>({first}, {1});
      const Tensor y = Tensor::from_vector<T>({second}, {1});
      const auto expect = [&](const char* name, const Tensor& result, Wide exact) {
        ASSERT_EQ(result.dtype(), dtype_of<T>) << name;
        EXPECT_EQ(result.to_vector<T>()[0], static_cast<T>(exact)) << name << " " << +first << " " << +second;
      };
      expect("bitwise_and", x.bitwise_and(y), a & b);
      expect("bitwise_or", x.bitwise_or(y), a | b);
      expect("bitwise_xor", x.bitwise_xor(y), a ^ b);
      expect("bitwise_not", x.bitwise_not(), ~a);
      expect("left_shift", x.bitwise_left_shift(y), b < 0 || b >= width ? 0 : a * (Wide{1} << int(b)));
      expect("right_shift", x.bitwise_right_shift(y), a >> int(b < 0 || b >= width ? 100 : b));
      expect("gcd", x.gcd(y), gcd(a, b));
      if (b != 0) {
        const Wide rest = a % b;
        const Wide floored = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
        expect("fmod", x.fmod(y), rest);
        expect("remainder", x.remainder(y), floored);
        expect("floor_divide", x.floor_divide(y), (a - floored) / b);
      }
      if (gcd(a, b) == 0) {
        expect("lcm", x.lcm(y), 0);
      } else if (magnitude(a / gcd(a, b) * b) <= high) {
        expect("lcm", x.lcm(y), magnitude(a / gcd(a, b) * b));
      }
      if (b >= 0 && b <= 64) {
        T power = 1;
        for (int k = 0; k < int(b); ++k) power = static_cast<T>(Wide{power} * a);
        expect("pow", x.pow(y), power);
      } else if (b < 0) {
        expect("pow", x.pow(y), a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0);
      }
    }
  }
}

TEST(IntegerFunctions, PromoteAsInPyTorch) {
  const Tensor u8 = Tensor::from_vector<std::uint8_t>({200, 7}, {2});
  const Tensor i32 = Tensor::from_vector<std::int32_t>({-3, 4}, {2});
  const Tensor flag = Tensor::from_vector<bool>({true, false}, {2});
  EXPECT_EQ(u8.bitwise_and(flag).dtype(), DType::uint8);
  EXPECT_EQ(flag.bitwise_not().to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(flag.bitwise_xor(flag).dtype(), DType::boolean);
  EXPECT_EQ(u8.remainder(i32).dtype(), DType::int32);
  EXPECT_EQ(i32.remainder(3).to_vector<std::int64_t>(), (Ints{0, 1}));
  EXPECT_EQ(i32.fmod(2).to_vector<std::int64_t>(), (Ints{-1, 0}));
  EXPECT_EQ(i32.floor_divide(2).to_vector<std::int64_t>(), (Ints{-2, 2}));
  EXPECT_EQ(i32.remainder(2.5).to_vector<float>(), (std::vector<float>{2, 1.5}));
  EXPECT_EQ(i32.pow(2).dtype(), DType::int32);
  EXPECT_EQ(i32.pow(0.5).dtype(), DType::float32);
  EXPECT_EQ(flag.pow(2).dtype(), DType::int64);
  EXPECT_EQ(i32.copysign(i32).dtype(), DType::float32);
  // A divisor 0 among operands that meet none is no error.
  EXPECT_EQ(Tensor::zeros({0}, DType::int32).remainder(Tensor::zeros({1}, DType::int32)).numel(), 0);
}

TEST(Scalars, KeepAllDigitsOfIntegers) {
  constexpr std::int64_t big = (std::int64_t{1} << 62) + 1;
  const Tensor x = Tensor::zeros({2}, DType::int64);
  EXPECT_EQ((x + big).to_vector<std::int64_t>(), (Ints{big, big}));
  EXPECT_EQ((x - big).to_vector<std::int64_t>(), (Ints{-big, -big}));
  EXPECT_EQ((big - x).to_vector<std::int64_t>(), (Ints{big, big}));
  EXPECT_EQ((x + 1).mul(big).to_vector<std::int64_t>(), (Ints{big, big}));
  EXPECT_EQ((x + big).eq(big).to_vector<bool>(), (Bools{true, true}));
  EXPECT_EQ((x + big).lt(big - 1).to_vector<bool>(), (Bools{false, false}));
  EXPECT_EQ(x.clamp_min(big).to_vector<std::int64_t>(), (Ints{big, big}));
  EXPECT_TRUE(std::signbit((Tensor::full({}, 0.0) * -1).item()));
  EXPECT_TRUE(std::signbit(Tensor::full({}, 0.0).neg().item()));
  EXPECT_TRUE(std::signbit((Tensor::full({}, -0.0) * 1).item()));
  EXPECT_FALSE(std::signbit((Tensor::full({}, -0.0) + 0).item()));
}

TEST(Tests, OfElementsTellNaNInfinityAndSign) {
  const std::vector<double> values = {nan, infinity, -infinity, 0, -0.0, 1, -1, 5e-324};
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
    const Tensor x = Tensor::from_vector(values, {8}).to(dtype);
    EXPECT_EQ(x.isnan().to_vector<bool>(), (Bools{true, false, false, false, false, false, false, false}));
    EXPECT_EQ(x.isinf().to_vector<bool>(), (Bools{false, true, true, false, false, false, false, false}));
    EXPECT_EQ(x.isfinite().to_vector<bool>(), (Bools{false, false, false, true, true, true, true, true}));
    const Bools signs = x.signbit().to_vector<bool>();
    EXPECT_EQ(Bools(signs.begin() + 1, signs.end()), (Bools{false, true, false, true, false, true, false}));
    const bool tiny = dtype == DType::float64;  // the others have no such number
    EXPECT_EQ(x.logical_not().to_vector<bool>(), (Bools{false, false, false, true, true, false, false, !tiny}));
    EXPECT_EQ(x.logical_and(x).to_vector<bool>(), (Bools{true, true, true, false, false, true, true, tiny}));
  }
  const Tensor ints = Tensor::from_vector<std::int16_t>({-3, 0, 5}, {3});
  EXPECT_EQ(ints.isnan().to_vector<bool>(), (Bools{false, false, false}));
  EXPECT_EQ(ints.isfinite().to_vector<bool>(), (Bools{true, true, true}));
  EXPECT_EQ(ints.signbit().to_vector<bool>(), (Bools{true, false, false}));
  const Tensor flags = Tensor::from_vector<bool>({true, true, false}, {3});
  EXPECT_EQ(ints.logical_and(flags).to_vector<bool>(), (Bools{true, false, false}));
  EXPECT_EQ(ints.logical_or(flags).to_vector<bool>(), (Bools{true, true, true}));
  EXPECT_EQ(ints.logical_xor(flags).to_vector<bool>(), (Bools{false, true, true}));
}

TEST(Tests, OfClosenessKnowTolerancesAndNaN) {
  const Tensor a = Tensor::from_vector<double>({1, 1, infinity, infinity, nan, 0}, {6});
  const Tensor b = Tensor::from_vector<double>({1.000009, 1.00002, infinity, -infinity, nan, 1e-9}, {6});
  EXPECT_EQ(a.isclose(b).to_vector<bool>(), (Bools{true, false, true, false, false, true}));
  EXPECT_EQ(a.isclose(b, 1e-5, 1e-8, true).to_vector<bool>(), (Bools{true, false, true, false, true, true}));
  EXPECT_EQ(a.isclose(b, 0, 0).to_vector<bool>(), (Bools{false, false, true, false, false, false}));
  EXPECT_FALSE(a.allclose(b));
  EXPECT_TRUE(a.narrow(0, 0, 1).allclose(b.narrow(0, 0, 1)));
  EXPECT_TRUE(a.narrow(0, 0, 0).allclose(b.narrow(0, 0, 0)));
  const std::int64_t low = std::numeric_limits<std::int64_t>::min();
  const Tensor ends = Tensor::from_vector<std::int64_t>({low, low + 1, 100000}, {3});
  const Tensor others = Tensor::from_vector<std::int64_t>({-1 - low, low, 100001}, {3});
  EXPECT_EQ(ends.isclose(others).to_vector<bool>(), (Bools{false, true, true}));
  EXPECT_TRUE(a.equal(a.clone()) == false);  // a NaN equals none
  EXPECT_TRUE(b.narrow(0, 0, 4).equal(b.clone().narrow(0, 0, 4)));
  EXPECT_FALSE(b.equal(b.reshape({2, 3})));
  EXPECT_TRUE(Tensor::zeros({0}).equal(Tensor::zeros({0})));
}

TEST(Conversions, BeyondTheRangeOfIntegersAreTheNearestWithin) {
  const Tensor x = Tensor::from_vector<double>({3e9, -3e9, nan, 1e20, -1e20, infinity, 2.9, -2.9}, {8});
  constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  for (const DType from : {DType::float32, DType::float64, DType::bfloat16}) {
    EXPECT_EQ(x.to(from).to(DType::int32).to_vector<std::int64_t>(), (Ints{high, low, 0, high, low, high, 2, -2}));
  }
  EXPECT_EQ(x.to(DType::int64).to_vector<std::int64_t>(),
            (Ints{3000000000, -3000000000, 0, highest, lowest, highest, 2, -2}));
  const Tensor small = Tensor::from_vector<float>({300, -1, 255, 1.9F}, {4});
  EXPECT_EQ(small.to(DType::uint8).to_vector<std::int64_t>(), (Ints{44, 255, 255, 1}));
  EXPECT_EQ(Tensor::from_vector<double>({nan, 1e-300, 0}, {3}).to(DType::boolean).to_vector<bool>(),
            (Bools{true, true, false}));
}

}  // namespace
}  // namespace feral
