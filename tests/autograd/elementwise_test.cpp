// Gradient checks and wrong calls of activations, special functions, functions of integers, and tests of elements.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/ops/activation.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/special.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;
using OfOne = std::function<Tensor(const Tensor&)>;
using Binary = Tensor (Tensor::*)(const Tensor&) const;

void add_of_one(std::vector<OpCase>& cases) {
  const auto unary = [&](const char* name, const OfOne& call, const std::function<Tensor(const Shape&)>& make) {
    cases.push_back({name, "contiguous", [call](const Inputs& x) { return call(x[0]); }, {make({3, 5})}});
    cases.push_back(
        {name, "view", [call](const Inputs& x) { return call(turned(x[0]).narrow(0, 1, 2)); }, {make({3, 4})}});
    cases.push_back({name,
                     "broadcast",
                     [call](const Inputs& x) {
                       return call(x[0].expand({3, 4}));
                     },
                     {make({4})}});
  };
  const auto any = [](const Shape& shape) { return leaf(shape, -3, 3); };
  const auto inside = [](const Shape& shape) { return leaf(shape, 0.1, 0.9); };
  const auto positive = [](const Shape& shape) { return leaf(shape, 0.3, 4); };
  unary(
      "gelu", [](const Tensor& x) { return x.gelu(); }, any);
  unary(
      "gelu_slope", [](const Tensor& x) { return apply<ops::GeluSlope>({}, x); }, any);
  unary(
      "gelu_tanh", [](const Tensor& x) { return x.gelu(true); }, any);
  unary(
      "gelu_tanh_slope", [](const Tensor& x) { return apply<ops::GeluTanhSlope>({}, x); }, any);
  unary(
      "silu", [](const Tensor& x) { return x.silu(); }, any);
  unary(
      "silu_slope", [](const Tensor& x) { return apply<ops::SiluSlope>({}, x); }, any);
  unary(
      "mish", [](const Tensor& x) { return x.mish(); }, any);
  unary(
      "logsigmoid", [](const Tensor& x) { return x.logsigmoid(); }, any);
  unary(
      "elu", [](const Tensor& x) { return x.elu(1.5); }, leaf_away_from_zero);
  unary(
      "leaky_relu", [](const Tensor& x) { return x.leaky_relu(0.2); }, leaf_away_from_zero);
  unary(
      "clamp", [](const Tensor& x) { return x.clamp(-0.25, 0.25); }, leaf_away_from_zero);
  unary(
      "clamp", [](const Tensor& x) { return x.hardtanh(-0.3, 0.3); }, leaf_away_from_zero);
  unary(
      "clamp", [](const Tensor& x) { return x.clamp_min(0.1); }, leaf_away_from_zero);
  unary(
      "clamp", [](const Tensor& x) { return x.clamp_max(0.1); }, leaf_away_from_zero);
  unary(
      "nan_to_num", [](const Tensor& x) { return x.nan_to_num(); }, any);
  unary(
      "erfinv", [](const Tensor& x) { return x.erfinv(); }, inside);
  unary(
      "lgamma", [](const Tensor& x) { return x.lgamma(); }, positive);
  unary(
      "lgamma", [](const Tensor& x) { return (x - 1).lgamma(); }, inside);
  unary(
      "digamma", [](const Tensor& x) { return x.digamma(); }, positive);
  unary(
      "digamma", [](const Tensor& x) { return (x - 2).digamma(); },
      [](const Shape& shape) { return leaf(shape, 0.3, 0.7); });
  unary(
      "polygamma", [](const Tensor& x) { return apply<ops::Polygamma>({.order = 1}, x); }, positive);
  unary(
      "polygamma", [](const Tensor& x) { return apply<ops::Polygamma>({.order = 2}, x); }, positive);
  unary(
      "logit", [](const Tensor& x) { return x.logit(); }, inside);
  unary(
      "sinc", [](const Tensor& x) { return x.sinc(); }, any);
  unary(
      "sinc", [](const Tensor& x) { return x.sinc(); }, [](const Shape& shape) { return leaf(shape, -0.2, 0.2); });
  unary(
      "frac", [](const Tensor& x) { return x.frac(); }, inside);
}

void add_of_several(std::vector<OpCase>& cases) {
  const auto binary = [&](const char* name, Binary method, double low) {
    const auto call = [method](const Inputs& x) { return (x[0].*method)(x[1]); };
    const auto make = [low](const Shape& shape) { return leaf(shape, low, 2); };
    cases.push_back({name, "same shape", call, {make({2, 3}), make({2, 3})}});
    cases.push_back({name, "row broadcast", call, {make({2, 3}), make({3})}});
    cases.push_back({name, "both broadcast", call, {make({2, 1, 3}), make({4, 1})}});
    cases.push_back({name,
                     "views",
                     [call](const Inputs& x) {
                       return call({turned(x[0]), x[1].narrow(1, 1, 2)});
                     },
                     {make({2, 3}), make({3, 4})}});
  };
  binary("logaddexp2", &Tensor::logaddexp2, -2);
  binary("xlogy", &Tensor::xlogy, 0.3);
  cases.push_back({"copysign",
                   "",
                   [](const Inputs& x) { return x[0].copysign(x[1]); },
                   {leaf_away_from_zero({2, 3}), leaf_away_from_zero({3})}});
  const auto ternary = [&](const char* name, const std::function<Tensor(const Inputs&)>& call) {
    cases.push_back({name, "same shape", call, {leaf({2, 3}), leaf({2, 3}), leaf({2, 3}, 0.5, 2)}});
    cases.push_back({name, "all broadcast", call, {leaf({2, 1, 1}), leaf({3, 1}), leaf({4}, 0.5, 2)}});
    cases.push_back({name,
                     "views",
                     [call](const Inputs& x) {
                       return call({turned(x[0]), x[1].narrow(1, 1, 2), turned(x[2])});
                     },
                     {leaf({2, 3}), leaf({3, 4}), leaf({2, 3}, 0.5, 2)}});
  };
  ternary("lerp", [](const Inputs& x) { return x[0].lerp(x[1], x[2]); });
  ternary("lerp", [](const Inputs& x) { return x[0].lerp(x[1], 0.25) * x[2]; });
  ternary("addcmul", [](const Inputs& x) { return x[0].addcmul(x[1], x[2], 1.5); });
  ternary("addcdiv", [](const Inputs& x) { return x[0].addcdiv(x[1], x[2], -0.5); });
}

const FamilyOfOpCases one(add_of_one);
const FamilyOfOpCases several(add_of_several);

void add_wrong_calls(std::vector<WrongCall>& calls) {
  for (const auto& [name, call] : std::vector<std::pair<std::string, std::function<void(const Tensor&)>>>{
           {"gelu", [](const Tensor& x) { (void)x.gelu(); }},
           {"gelu_tanh", [](const Tensor& x) { (void)apply<ops::GeluTanh>({}, x); }},
           {"silu", [](const Tensor& x) { (void)x.silu(); }},
           {"mish", [](const Tensor& x) { (void)x.mish(); }},
           {"logsigmoid", [](const Tensor& x) { (void)x.logsigmoid(); }},
           {"elu", [](const Tensor& x) { (void)x.elu(); }},
           {"leaky_relu", [](const Tensor& x) { (void)x.leaky_relu(); }},
           {"gelu_slope", [](const Tensor& x) { (void)apply<ops::GeluSlope>({}, x); }},
           {"gelu_tanh_slope", [](const Tensor& x) { (void)apply<ops::GeluTanhSlope>({}, x); }},
           {"silu_slope", [](const Tensor& x) { (void)apply<ops::SiluSlope>({}, x); }},
           {"polygamma", [](const Tensor& x) { (void)apply<ops::Polygamma>({.order = 1}, x); }}}) {
    calls.push_back({name, [call = call] { call(Tensor()); }, {"undefined"}});
    calls.push_back({name, [call = call] { call(i32({2})); }, {"int32"}});
  }
  for (const auto& [name, call] : std::vector<std::pair<std::string, std::function<void(const Tensor&)>>>{
           {"clamp", [](const Tensor& x) { (void)x.clamp(0, 1); }},
           {"clamp_min", [](const Tensor& x) { (void)x.clamp_min(0); }},
           {"clamp_max", [](const Tensor& x) { (void)x.clamp_max(0); }},
           {"hardtanh", [](const Tensor& x) { (void)x.hardtanh(); }},
           {"nan_to_num", [](const Tensor& x) { (void)x.nan_to_num(); }},
           {"erfinv", [](const Tensor& x) { (void)x.erfinv(); }},
           {"lgamma", [](const Tensor& x) { (void)x.lgamma(); }},
           {"digamma", [](const Tensor& x) { (void)x.digamma(); }},
           {"logit", [](const Tensor& x) { (void)x.logit(); }},
           {"sinc", [](const Tensor& x) { (void)x.sinc(); }},
           {"frac", [](const Tensor& x) { (void)x.frac(); }},
           {"deg2rad", [](const Tensor& x) { (void)x.deg2rad(); }},
           {"rad2deg", [](const Tensor& x) { (void)x.rad2deg(); }},
           {"bitwise_not", [](const Tensor& x) { (void)x.bitwise_not(); }},
           {"logical_not", [](const Tensor& x) { (void)x.logical_not(); }},
           {"isnan", [](const Tensor& x) { (void)x.isnan(); }},
           {"isinf", [](const Tensor& x) { (void)x.isinf(); }},
           {"isfinite", [](const Tensor& x) { (void)x.isfinite(); }},
           {"signbit", [](const Tensor& x) { (void)x.signbit(); }}}) {
    calls.push_back({name, [call = call] { call(Tensor()); }, {"undefined"}});
  }
  calls.push_back({"polygamma", [] { (void)apply<ops::Polygamma>({.order = 0}, f32({2})); }, {"0"}});
  calls.push_back({"hardtanh", [] { (void)f32({2}).hardtanh(1, -1); }, {"1", "-1"}});
  calls.push_back({"bitwise_not", [] { (void)f32({2}).bitwise_not(); }, {"float32"}});
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"logaddexp2", &Tensor::logaddexp2},
                                     {"xlogy", &Tensor::xlogy},
                                     {"copysign", &Tensor::copysign},
                                     {"nextafter", &Tensor::nextafter},
                                     {"floor_divide", &Tensor::floor_divide},
                                     {"bitwise_and", &Tensor::bitwise_and},
                                     {"bitwise_or", &Tensor::bitwise_or},
                                     {"bitwise_xor", &Tensor::bitwise_xor},
                                     {"bitwise_left_shift", &Tensor::bitwise_left_shift},
                                     {"bitwise_right_shift", &Tensor::bitwise_right_shift},
                                     {"gcd", &Tensor::gcd},
                                     {"lcm", &Tensor::lcm},
                                     {"logical_and", &Tensor::logical_and},
                                     {"logical_or", &Tensor::logical_or},
                                     {"logical_xor", &Tensor::logical_xor}}) {
    const auto call = [method = method](const Tensor& a, const Tensor& b) { return [=] { (void)(a.*method)(b); }; };
    calls.push_back({name, call(i32({2, 3}), i32({4, 3})), {"[2, 3]", "[4, 3]"}});
    calls.push_back({name, call(i32({2}), Tensor()), {"undefined"}});
    calls.push_back({name, call(Tensor(), i32({2})), {"undefined"}});
  }
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"bitwise_and", &Tensor::bitwise_and},
                                     {"bitwise_or", &Tensor::bitwise_or},
                                     {"bitwise_xor", &Tensor::bitwise_xor},
                                     {"bitwise_left_shift", &Tensor::bitwise_left_shift},
                                     {"bitwise_right_shift", &Tensor::bitwise_right_shift},
                                     {"gcd", &Tensor::gcd},
                                     {"lcm", &Tensor::lcm}}) {
    calls.push_back({name, [method = method] { (void)(f32({2}).*method)(i32({2})); }, {"float32"}});
  }
  const Tensor b8 = Tensor::ones({2}, DType::boolean);
  for (const auto& [name, method] :
       {std::pair<const char*, Binary>{"bitwise_left_shift", &Tensor::bitwise_left_shift},
        {"bitwise_right_shift", &Tensor::bitwise_right_shift},
        {"gcd", &Tensor::gcd},
        {"lcm", &Tensor::lcm},
        {"pow", &Tensor::pow},
        {"fmod", &Tensor::fmod},
        {"remainder", &Tensor::remainder},
        {"floor_divide", &Tensor::floor_divide}}) {
    calls.push_back({name, [=, method = method] { (void)(b8.*method)(b8); }, {"bool"}});
  }
  const Tensor some_zero = Tensor::from_vector<std::int32_t>({1, 0}, {2});
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"fmod", &Tensor::fmod},
                                     {"remainder", &Tensor::remainder},
                                     {"floor_divide", &Tensor::floor_divide}}) {
    calls.push_back({name, [=, method = method] { (void)(i32({2}).*method)(some_zero); }, {"int32", "zero"}});
  }
  calls.push_back({"pow", [] { (void)i32({2}).pow(-1); }, {"int32", "-1"}});
  calls.push_back({"isclose", [] { (void)f32({2}).isclose(f32({3})); }, {"[2]", "[3]"}});
  calls.push_back({"isclose", [] { (void)f32({2}).isclose(Tensor()); }, {"undefined"}});
  calls.push_back({"isclose", [] { (void)f32({2}).isclose(f32({2}), -1); }, {"-1"}});
  calls.push_back({"allclose", [] { (void)f32({2}).allclose(f32({3})); }, {"[2]", "[3]"}});
  calls.push_back({"equal", [] { (void)f32({2}).equal(Tensor()); }, {"undefined"}});
  using Three = std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)>;
  for (const auto& [name, call] : std::vector<std::pair<std::string, Three>>{
           {"lerp", [](const Tensor&a, const Tensor&b, const Tensor&c) { return a.lerp(b, c); }},
           {"addcmul", [](const Tensor&a, const Tensor&b, const Tensor&c) { return a.addcmul(b, c); }},
           {"addcdiv", [](const Tensor&a, const Tensor&b, const Tensor&c) { return a.addcdiv(b, c); }}}) {
    calls.push_back({name, [call = call] { (void)call(f32({2}), f32({3}), f32({1})); }, {"[2]", "[3]"}});
    calls.push_back({name, [call = call] { (void)call(f32({2}), f32({1}), f32({3})); }, {"[2]", "[3]"}});
    calls.push_back({name, [call = call] { (void)call(f32({2}), Tensor(), f32({3})); }, {"undefined"}});
    if (name != "addcmul")
      calls.push_back({name, [call = call] { (void)call(i32({2}), i32({2}), i32({2})); }, {"int32"}});
  }
  calls.push_back({"lerp", [] { (void)i32({2}).lerp(i32({2}), 0.5); }, {"int32"}});
  calls.push_back({"addcmul", [] { (void)i32({2}).addcmul(i32({2}), i32({2}), 0.5); }, {"0.5"}});
}

const FamilyOfWrongCalls wrong(add_wrong_calls);

// What differentiation by hand gives at kinks, and where a formula would give a NaN.
TEST(ElementwiseGradients, AtKinksAreAsInPyTorch) {
  const auto gradient = [](const std::vector<double>& at, const OfOne& function) {
    const Tensor x = Tensor::from_vector(at, {static_cast<std::int64_t>(at.size())}).set_requires_grad(true);
    function(x).sum().backward();
    return x.grad().to_vector<double>();
  };
  using Numbers = std::vector<double>;
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(gradient({-1, 0, 1}, [](const Tensor& x) { return x.clamp(-1, 1); }), (Numbers{1, 1, 1}));
  EXPECT_EQ(gradient({-2, 0, 2}, [](const Tensor& x) { return x.clamp(-1, 1); }), (Numbers{0, 1, 0}));
  EXPECT_EQ(gradient({-1, 0, 1}, [](const Tensor& x) { return x.hardtanh(); }), (Numbers{0, 1, 0}));
  EXPECT_EQ(gradient({0, 1, -1}, [](const Tensor& x) { return x.leaky_relu(0.5); }), (Numbers{0.5, 1, 0.5}));
  EXPECT_EQ(gradient({nan, infinity, 3}, [](const Tensor& x) { return x.nan_to_num(); }), (Numbers{0, 0, 1}));
  EXPECT_EQ(gradient({0, -2}, [](const Tensor& x) { return x.copysign(Tensor::ones({}, DType::float64)); }),
            (Numbers{0, -1}));
  EXPECT_EQ(gradient({0, 0}, [](const Tensor& x) { return x.sinc(); }), (Numbers{0, 0}));
  EXPECT_EQ(gradient({0}, [](const Tensor& x) { return x.xlogy(Tensor::zeros({}, DType::float64)); }),
            (Numbers{0}));
  EXPECT_EQ(gradient({-800, 800}, [](const Tensor& x) { return x.silu(); }), (Numbers{0, 1}));
  EXPECT_EQ(gradient({-800, 800}, [](const Tensor& x) { return x.gelu(); }), (Numbers{0, 1}));
  EXPECT_EQ(gradient({-800, 800}, [](const Tensor& x) { return x.gelu(true); }), (Numbers{0, 1}));
}

}  // namespace
}  // namespace feral
