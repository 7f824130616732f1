// Elementwise functions against the C library in higher precision, at ordinary and at extreme arguments.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/ops/choice.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using testing_support::ulps_between;

template <class T>
std::vector<T> arguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {0,
                           -T{0},
                           1,
                           -1,
                           T{0.5},
                           T{-0.5},
                           T{1.5},
                           T{2.5},
                           T{-2.5},
                           Limits::min(),
                           Limits::denorm_min(),
                           -Limits::denorm_min(),
                           Limits::max(),
                           Limits::lowest(),
                           Limits::infinity(),
                           -Limits::infinity(),
                           Limits::quiet_NaN(),
                           Limits::epsilon(),
                           T{100},
                           T{-100},
                           T{87},
                           T{-87},
                           T{-103},
                           T{709},
                           T{-745}};
  for (T magnitude = T{1e-6}; magnitude < T{1e4}; magnitude *= T{1.37}) {
    values.push_back(magnitude);
    values.push_back(-magnitude);
  }
  return values;
}

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

// |computed - exact| in units of the last place of T, NaN equal to NaN. The exact value is rounded to T once.
template <class T>
void expect_near(T computed, Wide<T> exact, std::uint64_t ulps, const std::string& what) {
  const T expected = static_cast<T>(exact);
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(computed)) << what << ": " << computed;
  } else {
    EXPECT_LE(ulps_between(computed, expected), ulps) << what << ": " << computed << " for " << expected;
  }
}

template <class T>
class Functions : public testing::Test {};
using FloatingTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Functions, FloatingTypes);

TYPED_TEST(Functions, OfOneOperandAreWithinFourUnitsInTheLastPlace) {
  using T = TypeParam;
  using W = Wide<T>;
  using Unary = Tensor (Tensor::*)() const;
  struct Function {
    const char* name;
    Unary method;
    std::function<W(W)> exact;
  };
  const std::vector<Function> functions = {
      {"exp", &Tensor::exp, [](W x) { return std::exp(x); }},
      {"exp2", &Tensor::exp2, [](W x) { return std::exp2(x); }},
      {"expm1", &Tensor::expm1, [](W x) { return std::expm1(x); }},
      {"log", &Tensor::log, [](W x) { return std::log(x); }},
      {"log2", &Tensor::log2, [](W x) { return std::log2(x); }},
      {"log10", &Tensor::log10, [](W x) { return std::log10(x); }},
      {"log1p", &Tensor::log1p, [](W x) { return std::log1p(x); }},
      {"sqrt", &Tensor::sqrt, [](W x) { return std::sqrt(x); }},
      {"rsqrt", &Tensor::rsqrt, [](W x) { return 1 / std::sqrt(x); }},
      {"reciprocal", &Tensor::reciprocal, [](W x) { return 1 / x; }},
      {"square", &Tensor::square, [](W x) { return x * x; }},
      {"abs", &Tensor::abs, [](W x) { return std::fabs(x); }},
      {"sin", &Tensor::sin, [](W x) { return std::sin(x); }},
      {"cos", &Tensor::cos, [](W x) { return std::cos(x); }},
      {"tan", &Tensor::tan, [](W x) { return std::tan(x); }},
      {"asin", &Tensor::asin, [](W x) { return std::asin(x); }},
      {"acos", &Tensor::acos, [](W x) { return std::acos(x); }},
      {"atan", &Tensor::atan, [](W x) { return std::atan(x); }},
      {"sinh", &Tensor::sinh, [](W x) { return std::sinh(x); }},
      {"cosh", &Tensor::cosh, [](W x) { return std::cosh(x); }},
      {"tanh", &Tensor::tanh, [](W x) { return std::tanh(x); }},
      {"asinh", &Tensor::asinh, [](W x) { return std::asinh(x); }},
      {"acosh", &Tensor::acosh, [](W x) { return std::acosh(x); }},
      {"atanh", &Tensor::atanh, [](W x) { return std::atanh(x); }},
      {"sigmoid", &Tensor::sigmoid, [](W x) { return 1 / (1 + std::exp(-x)); }},
      {"softplus", &Tensor::softplus, [](W x) { return x > 50 ? x : std::log1p(std::exp(x)); }},
      {"erf", &Tensor::erf, [](W x) { return std::erf(x); }},
      {"erfc", &Tensor::erfc, [](W x) { return std::erfc(x); }},
      {"floor", &Tensor::floor, [](W x) { return std::floor(x); }},
      {"ceil", &Tensor::ceil, [](W x) { return std::ceil(x); }},
      {"trunc", &Tensor::trunc, [](W x) { return std::trunc(x); }},
      {"round", &Tensor::round, [](W x) { return std::nearbyint(x); }},
      {"relu", &Tensor::relu, [](W x) { return x < 0 ? W{0} : x; }},
      {"sign", &Tensor::sign, [](W x) { return x > 0   ? W{1}
                                               : x < 0 ? W{-1}
                                                       : x; }},
  };
  const std::vector<T> x = arguments<T>();
  const Tensor contiguous = Tensor::from_vector(x, {static_cast<std::int64_t>(x.size())});
  for (const Function& function : functions) {
    const std::vector<T> y = (contiguous.*function.method)().template to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      expect_near<T>(y[i], function.exact(x[i]), 4, std::string(function.name) + "(" + std::to_string(x[i]) + ")");
    }
  }
}

TYPED_TEST(Functions, OfTwoOperandsAreWithinFourUnitsInTheLastPlace) {
  using T = TypeParam;
  using W = Wide<T>;
  using Binary = Tensor (Tensor::*)(const Tensor&) const;
  struct Function {
    const char* name;
    Binary method;
    std::function<W(W, W)> exact;
  };
  const auto remainder = [](W a, W b) {
    const W rest = std::fmod(a, b);
    return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
  };
  const std::vector<Function> functions = {
      {"maximum", &Tensor::maximum,
       [](W a, W b) { return std::isnan(a) || std::isnan(b) ? W(NAN) : std::fmax(a, b); }},
      {"minimum", &Tensor::minimum,
       [](W a, W b) { return std::isnan(a) || std::isnan(b) ? W(NAN) : std::fmin(a, b); }},
      {"pow", &Tensor::pow, [](W a, W b) { return std::pow(a, b); }},
      {"atan2", &Tensor::atan2, [](W a, W b) { return std::atan2(a, b); }},
      {"hypot", &Tensor::hypot, [](W a, W b) { return std::hypot(a, b); }},
      {"fmod", &Tensor::fmod, [](W a, W b) { return std::fmod(a, b); }},
      {"remainder", &Tensor::remainder, remainder},
      {"logaddexp", &Tensor::logaddexp,
       [](W a, W b) {
         const W larger = std::fmax(a, b);
         if (std::isnan(a) || std::isnan(b)) return W(NAN);
         return std::isinf(larger) ? larger : larger + std::log1p(std::exp(-std::fabs(a - b)));
       }},
  };
  std::vector<T> values = arguments<T>();
  values.resize(40);
  for (const Function& function : functions) {
    for (const T a : values) {
      const Tensor first = Tensor::full({}, double{a}, dtype_of<T>);
      const Tensor second = Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
      const std::vector<T> y = (first.*function.method)(second).template to_vector<T>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        expect_near<T>(
            y[i], function.exact(a, values[i]), 4,
            std::string(function.name) + "(" + std::to_string(a) + ", " + std::to_string(values[i]) + ")");
      }
    }
  }
}

TEST(Functions, IntegersWrapAroundAndBoolAddsAsOrAndMultipliesAsAnd) {
  const Tensor a = Tensor::from_vector<std::int8_t>({127, -128, 100, -7}, {4});
  const Tensor b = Tensor::from_vector<std::int8_t>({1, -1, 3, 2}, {4});
  EXPECT_EQ((a + b).to_vector<int>(), (std::vector<int>{-128, 127, 103, -5}));
  EXPECT_EQ((a - b).to_vector<int>(), (std::vector<int>{126, -127, 97, -9}));
  EXPECT_EQ((a * b).to_vector<int>(), (std::vector<int>{127, -128, 44, -14}));
  EXPECT_EQ(a.maximum(b).to_vector<int>(), (std::vector<int>{127, -1, 100, 2}));
  const Tensor big = Tensor::from_vector<std::int16_t>({-32768, 32767}, {2});
  EXPECT_EQ((big * big).to_vector<int>(), (std::vector<int>{0, 1}));
  const Tensor yes = Tensor::from_vector<bool>({true, true, false, false}, {4});
  const Tensor no = Tensor::from_vector<bool>({true, false, true, false}, {4});
  EXPECT_EQ((yes + no).to_vector<bool>(), (std::vector<bool>{true, true, true, false}));
  EXPECT_EQ((yes * no).to_vector<bool>(), (std::vector<bool>{true, false, false, false}));
  EXPECT_EQ((a.neg() + a.abs()).to_vector<int>(), (std::vector<int>{0, 0, 0, 14}));
  EXPECT_EQ(a.sign().to_vector<int>(), (std::vector<int>{1, -1, 1, -1}));
}

TEST(Functions, ResultsHaveThePromotedType) {
  const Tensor i8 = Tensor::ones({2}, DType::int8);
  const Tensor u8 = Tensor::ones({2}, DType::uint8);
  const Tensor i64 = Tensor::ones({2}, DType::int64);
  const Tensor f32 = Tensor::ones({2});
  const Tensor f64 = Tensor::ones({2}, DType::float64);
  const Tensor flag = Tensor::ones({2}, DType::boolean);
  EXPECT_EQ((i8 + u8).dtype(), DType::int16);
  EXPECT_EQ((i64 * f32).dtype(), DType::float32);
  EXPECT_EQ((f32 - f64).dtype(), DType::float64);
  EXPECT_EQ((i64 / i64).dtype(), DType::float32);
  EXPECT_EQ(i64.exp().dtype(), DType::float32);
  EXPECT_EQ(i64.floor().dtype(), DType::int64);
  EXPECT_EQ((i64 + 2).dtype(), DType::int64);
  EXPECT_EQ((i64 + 2.0).dtype(), DType::float32);
  EXPECT_EQ((flag + 2).dtype(), DType::int64);
  EXPECT_EQ((f64 * 2).dtype(), DType::float64);
  EXPECT_EQ((7 - i64).to_vector<int>(), (std::vector<int>{6, 6}));
  EXPECT_EQ((3 / i64).to_vector<float>(), (std::vector<float>{3, 3}));
}

TEST(Functions, ComparisonsAreBoolAndFalseForNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor a = Tensor::from_vector<float>({1, 2, 3, nan}, {4});
  const Tensor b = Tensor::from_vector<std::int64_t>({2, 2, 2, 2}, {4});
  using Bools = std::vector<bool>;
  EXPECT_EQ(a.lt(b).to_vector<bool>(), (Bools{true, false, false, false}));
  EXPECT_EQ(a.le(b).to_vector<bool>(), (Bools{true, true, false, false}));
  EXPECT_EQ(a.gt(b).to_vector<bool>(), (Bools{false, false, true, false}));
  EXPECT_EQ(a.ge(b).to_vector<bool>(), (Bools{false, true, true, false}));
  EXPECT_EQ(a.eq(b).to_vector<bool>(), (Bools{false, true, false, false}));
  EXPECT_EQ(a.ne(b).to_vector<bool>(), (Bools{true, false, true, true}));
  EXPECT_EQ(a.ge(2).to_vector<bool>(), (Bools{false, true, true, false}));
  EXPECT_EQ(where(a.gt(1.5), a, b * 10).to_vector<float>()[0], 20);
  EXPECT_EQ(Tensor::from_vector<float>({-3, 0.5, 3}, {3}).clamp(-1, 1).to_vector<float>(),
            (std::vector<float>{-1, 0.5, 1}));
}

}  // namespace
}  // namespace feral
