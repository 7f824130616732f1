// vjp, jvp, jacobian, hessian and hvp against derivatives known in closed form.
#include "autograd/functional.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.hpp"
#include "autograd/ops/linalg.hpp"
#include "tests/support/messages.hpp"

namespace feral::autograd {
namespace {

using support::error_of;
using support::has;
using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;

Tensor vector(const Values& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

Tensor matrix() { return Tensor::from_vector(Values{1, 2, 3, 4, 5, 7}, {2, 3}); }

void expect_near(const Tensor& got, const Tensor& want, double tolerance = 1e-12) {
  ASSERT_EQ(got.shape().to_string(), want.shape().to_string());
  EXPECT_TRUE(got.allclose(want, 0, tolerance)) << got.repr() << " instead of " << want.repr();
}

// f(x, y) = A x² + sin(y₀) in two components.
Tensor function(const Tensors& in) { return matrix().mv(in[0] * in[0]) + in[1].sin().sum(); }

TEST(Vjp, IsTheProductWithTheTransposedJacobian) {
  const Tensor x = vector({1, -2, 0.5});
  const Tensor y = vector({0.3});
  const auto [value, products] = vjp(function, {x, y}, vector({2, -1}));
  expect_near(value, function({x, y}));
  expect_near(products[0], matrix().t().mv(vector({2, -1})) * x * 2);
  expect_near(products[1], vector({std::cos(0.3)}));
  EXPECT_FALSE(x.requires_grad());
  EXPECT_FALSE(products[0].requires_grad());
}

TEST(Jvp, IsTheProductWithTheJacobian) {
  const Tensor x = vector({1, -2, 0.5});
  const Tensor y = vector({0.3});
  const auto [value, product] = jvp(function, {x, y}, {vector({1, 1, -1}), vector({2})});
  expect_near(value, function({x, y}));
  expect_near(product, matrix().mv(x * 2 * vector({1, 1, -1})) + 2 * std::cos(0.3));
}

TEST(Jvp, OfALinearFunctionAndOfAConstant) {
  const Tensor x = vector({1, -2, 0.5});
  const auto linear = [](const Tensors& in) { return matrix().mv(in[0]); };
  expect_near(jvp(linear, {x}, {vector({1, 0, 2})}).second, matrix().mv(vector({1, 0, 2})));
  const auto constant = [](const Tensors&) { return vector({4, 5}); };
  expect_near(jvp(constant, {x}, {x}).second, vector({0, 0}));
  expect_near(vjp(constant, {x}, vector({1, 1})).second[0], vector({0, 0, 0}));
}

TEST(Jacobian, HasARowForEveryElementOfTheValue) {
  const Tensor x = vector({1, -2, 0.5});
  const Tensor y = vector({0.3});
  const Tensors both = jacobian(function, {x, y});
  expect_near(both[0], matrix() * (x * 2));
  expect_near(both[1], Tensor::full({2, 1}, std::cos(0.3), DType::float64));
  const auto outer = [](const Tensors& in) { return in[0].outer(in[0]); };
  const Tensor j = jacobian(outer, {x})[0];
  EXPECT_EQ(j.shape().to_string(), "[3, 3, 3]");
  EXPECT_EQ(j[1][2][2].item(), -2);
  EXPECT_EQ(j[1][1][1].item(), -4);
  EXPECT_EQ(j[0][1][2].item(), 0);
}

TEST(Hessian, OfTwoInputsHasFourBlocks) {
  // x'Mx + y₀ x₀² + e^y₀
  const auto f = [](const Tensors& in) {
    const Tensor m = Tensor::from_vector(Values{1, 2, 0, 3}, {2, 2});
    return in[0].dot(m.mv(in[0])) + in[1][0] * in[0][0] * in[0][0] + in[1].exp().sum();
  };
  const auto h = hessian(f, {vector({1, 2}), vector({0.5})});
  expect_near(h[0][0], Tensor::from_vector(Values{2 + 1, 2, 2, 6}, {2, 2}));
  expect_near(h[0][1], Tensor::from_vector(Values{2, 0}, {2, 1}));
  expect_near(h[1][0], Tensor::from_vector(Values{2, 0}, {1, 2}));
  expect_near(h[1][1], Tensor::full({1, 1}, std::exp(0.5), DType::float64));
  const auto [value, product] = hvp(f, {vector({1, 2}), vector({0.5})}, {vector({1, -1}), vector({2})});
  expect_near(value, f({vector({1, 2}), vector({0.5})}));
  expect_near(product[0], vector({3 - 2 + 4, 2 - 6}));
  expect_near(product[1], vector({2 + 2 * std::exp(0.5)}));
}

TEST(Hessian, OfALinearFunctionIsZero) {
  const auto h = hessian([](const Tensors& in) { return (in[0] * 3).sum(); }, {vector({1, 2})});
  expect_near(h[0][0], Tensor::zeros({2, 2}, DType::float64));
}

TEST(Functional, WithCreateGraphTheAnswersAreDifferentiable) {
  Tensor x = vector({0.7});
  x.set_requires_grad(true);
  const auto cube = [](const Tensors& in) { return (in[0] * in[0] * in[0]).sum(); };
  const Tensor third = grad({hessian(cube, {x}, true)[0][0].sum()}, {x})[0];
  EXPECT_NEAR(third.item(), 6, 1e-12);
  const Tensor along = jvp(cube, {x}, {vector({2})}, true).second;  // 6x²
  EXPECT_NEAR(grad({along}, {x})[0].item(), 12 * 0.7, 1e-12);
  EXPECT_NEAR(grad({jacobian(cube, {x}, true)[0].sum()}, {x})[0].item(), 6 * 0.7, 1e-12);
}

TEST(Functional, ParametersThatAreCapturedGetNoGradient) {
  Tensor w = vector({2, 3});
  w.set_requires_grad(true);
  vjp([&](const Tensors& in) { return (in[0] * w).sum(); }, {vector({1, 1})});
  EXPECT_FALSE(w.grad().defined());
}

TEST(Functional, SaysWhatDoesNotFit) {
  const Tensor x = vector({1, 2, 3});
  const auto twice = [](const Tensors& in) { return in[0] * 2; };
  EXPECT_TRUE(has(error_of([&] { vjp(twice, {x}); }), {"vjp: ", "[3]"}));
  EXPECT_TRUE(has(error_of([&] { vjp(twice, {x}, vector({1})); }), {"vjp: ", "[1]", "[3]"}));
  EXPECT_TRUE(has(error_of([&] { jvp(twice, {x}, {}); }), {"jvp: ", "0 directions for 1"}));
  EXPECT_TRUE(has(error_of([&] { jvp(twice, {x}, {vector({1})}); }), {"jvp: ", "direction 0", "[1]"}));
  EXPECT_TRUE(has(error_of([&] { hessian(twice, {x}); }), {"hessian: ", "[3]"}));
  EXPECT_TRUE(has(error_of([&] { jacobian(twice, {Tensor::ones({2}, DType::int64)}); }), {"jacobian: ", "int64"}));
  EXPECT_TRUE(has(error_of([&] { jacobian(twice, {}); }), {"jacobian: ", "no inputs"}));
}

}  // namespace
}  // namespace feral::autograd
