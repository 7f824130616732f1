// Gradients and wrong calls of linear algebra.
#include "autograd/ops/linalg.hpp"

#include <gtest/gtest.h>

#include "autograd/ops/linalg_factor.hpp"
#include "autograd/ops/linalg_solve.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

Tensor unit(std::int64_t n) {
  const Tensor result = Tensor::zeros({n, n}, DType::float64);
  for (std::int64_t i = 0; i < n; ++i) result.data<double>()[i * (n + 1)] = 1;
  return result;
}

// Square matrices far from singular.
Tensor regular_leaf(const Shape& shape) {
  const Tensor x = numbers.tensor<double>(shape) + unit(shape[shape.dims() - 1]) * 2;
  return x.detach().set_requires_grad(true);
}

Tensor symmetric(const Tensor& x) { return x + x.transpose(-2, -1); }
Tensor positive_definite(const Tensor& x) { return x.matmul(x.transpose(-2, -1)) + unit(x.size(-2)); }

void add_solvers(std::vector<OpCase>& cases) {
  const auto solve = [](const Inputs& x) { return linalg::solve(x[0], x[1]); };
  cases.push_back({"solve", "", solve, {regular_leaf({3, 3}), leaf({3, 2})}});
  cases.push_back({"solve", "vector", solve, {regular_leaf({3, 3}), leaf({3})}});
  cases.push_back({"solve", "batch", solve, {regular_leaf({2, 2, 2}), leaf({2, 2, 3})}});
  cases.push_back({"solve", "broadcast", solve, {regular_leaf({2, 2}), leaf({2, 2, 1})}});
  cases.push_back({"solve",
                   "view",
                   [](const Inputs& x) { return linalg::solve(turned(x[0]), turned(x[1])); },
                   {regular_leaf({3, 3}), leaf({2, 3})}});
  cases.push_back({"inv", "", [](const Inputs& x) { return linalg::inv(x[0]); }, {regular_leaf({3, 3})}});
  cases.push_back({"inv", "batch", [](const Inputs& x) { return linalg::inv(x[0]); }, {regular_leaf({2, 2, 2})}});
  cases.push_back(
      {"inv", "view", [](const Inputs& x) { return linalg::inv(turned(x[0])); }, {regular_leaf({3, 3})}});
  const auto det = [](const Inputs& x) { return linalg::det(x[0]); };
  cases.push_back({"det", "", det, {regular_leaf({3, 3})}});
  cases.push_back({"det", "batch", det, {regular_leaf({2, 2, 2})}});
  cases.push_back({"det", "of one element", det, {leaf_away_from_zero({2, 1, 1})}});
  cases.push_back({"det", "of nothing", det, {leaf({2, 0, 0})}});
  const auto cofactors = [](const Inputs& x) { return apply<ops::Cofactors>({}, x[0]); };
  cases.push_back({"cofactors", "", cofactors, {regular_leaf({3, 3})}});
  cases.push_back({"cofactors", "batch", cofactors, {regular_leaf({2, 2, 2})}});
  const auto log = [](const Inputs& x) { return linalg::slogdet(x[0]).logabsdet; };
  cases.push_back({"slogdet", "", log, {regular_leaf({3, 3})}});
  cases.push_back({"slogdet", "batch", log, {regular_leaf({3, 2, 2})}});

  const auto lstsq = [](const Inputs& x) { return linalg::lstsq(x[0], x[1]); };
  cases.push_back({"lstsq", "tall", lstsq, {leaf({4, 2}), leaf({4, 2})}});
  cases.push_back({"lstsq", "wide", lstsq, {leaf({2, 4}), leaf({2, 2})}});
  cases.push_back({"lstsq", "batch of vectors", lstsq, {leaf({2, 3, 2}), leaf({2, 3})}});
  cases.push_back({"lstsq",
                   "of rank 1",
                   [](const Inputs& x) { return linalg::lstsq(x[0].outer(x[1]), x[2]); },
                   {leaf_away_from_zero({3}), leaf_away_from_zero({2}), leaf({3, 1})}});
  const auto pinv = [](const Inputs& x) { return linalg::pinv(x[0]); };
  cases.push_back({"pinv", "tall", pinv, {leaf({4, 2})}});
  cases.push_back({"pinv", "wide", pinv, {leaf({2, 3})}});
  cases.push_back({"pinv", "batch", pinv, {leaf({2, 3, 2})}});
  cases.push_back({"pinv",
                   "of rank 1",
                   [](const Inputs& x) { return linalg::pinv(x[0].outer(x[1])); },
                   {leaf_away_from_zero({3}), leaf_away_from_zero({3})}});
}

void add_decompositions(std::vector<OpCase>& cases) {
  const auto cholesky = [](const Inputs& x) { return linalg::cholesky(positive_definite(x[0])); };
  cases.push_back({"cholesky", "", cholesky, {leaf({3, 3})}});
  cases.push_back({"cholesky", "batch", cholesky, {leaf({2, 2, 2})}});
  const auto q = [](const Inputs& x) { return linalg::qr(x[0]).q; };
  const auto r = [](const Inputs& x) { return linalg::qr(x[0]).r; };
  cases.push_back({"qr", "q", q, {regular_leaf({3, 3})}});
  cases.push_back({"qr", "r", r, {regular_leaf({3, 3})}});
  cases.push_back({"qr", "q, tall", q, {leaf({4, 2})}});
  cases.push_back({"qr", "r, tall", r, {leaf({4, 2})}});
  cases.push_back({"qr",
                   "both, batch",
                   [](const Inputs& x) {
                     const linalg::QR qr = linalg::qr(x[0]);
                     return qr.q * qr.r.matmul(qr.r);
                   },
                   {regular_leaf({2, 2, 2})}});
  for (const Shape& shape : std::vector<Shape>{{3, 3}, {4, 2}, {2, 4}, {2, 2, 2}}) {
    const std::string name = shape.to_string();
    cases.push_back({"svd", "u " + name, [](const Inputs& x) { return linalg::svd(x[0]).u; }, {leaf(shape)}});
    cases.push_back({"svd", "s " + name, [](const Inputs& x) { return linalg::svd(x[0]).s; }, {leaf(shape)}});
    cases.push_back({"svd", "vh " + name, [](const Inputs& x) { return linalg::svd(x[0]).vh; }, {leaf(shape)}});
    cases.push_back({"svd",
                     "all " + name,
                     [](const Inputs& x) {
                       const auto [u, s, vh] = linalg::svd(x[0]);
                       return u.matmul(vh) * s.sum();
                     },
                     {leaf(shape)}});
  }
  for (const Shape& shape : std::vector<Shape>{{3, 3}, {2, 2, 2}}) {
    const std::string name = shape.to_string();
    cases.push_back({"eigh",
                     "values " + name,
                     [](const Inputs& x) { return linalg::eigh(symmetric(x[0])).eigenvalues; },
                     {leaf(shape)}});
    cases.push_back({"eigh",
                     "vectors " + name,
                     [](const Inputs& x) { return linalg::eigh(symmetric(x[0])).eigenvectors; },
                     {leaf(shape)}});
  }
}

void add_wrong_calls(std::vector<WrongCall>& calls) {
  using Square = Tensor (*)(const Tensor&);
  const Square slogdet = [](const Tensor& x) { return linalg::slogdet(x).sign; };
  const Square eigh = [](const Tensor& x) { return linalg::eigh(x).eigenvalues; };
  const Square cofactors = [](const Tensor& x) { return apply<ops::Cofactors>({}, x); };
  for (const auto& [name, function] : {std::pair<const char*, Square>{"inv", linalg::inv},
                                       {"det", linalg::det},
                                       {"cofactors", cofactors},
                                       {"slogdet", slogdet},
                                       {"cholesky", linalg::cholesky},
                                       {"eigh", eigh}}) {
    const auto call = [function = function](const Tensor& x) { return [=] { function(x); }; };
    calls.push_back({name, call(f32({2, 3})), {"square", "[2, 3]"}});
    calls.push_back({name, call(f32({2, 3, 2})), {"square", "[2, 3, 2]"}});
    calls.push_back({name, call(f32({3})), {"[3]"}});
    calls.push_back({name, call(i32({2, 2})), {"float32", "int32"}});
    calls.push_back({name, call(Tensor::ones({2, 2}, DType::float16)), {"float16"}});
    calls.push_back({name, call(Tensor()), {"undefined"}});
  }
  const Square qr = [](const Tensor& x) { return linalg::qr(x).q; };
  const Square svd = [](const Tensor& x) { return linalg::svd(x).s; };
  for (const auto& [name, function] :
       {std::pair<const char*, Square>{"qr", qr}, {"svd", svd}, {"pinv", linalg::pinv}}) {
    const auto call = [function = function](const Tensor& x) { return [=] { function(x); }; };
    calls.push_back({name, call(f32({3})), {"[..., m, n]", "[3]"}});
    calls.push_back({name, call(i32({2, 2})), {"float32", "int32"}});
    calls.push_back({name, call(Tensor::ones({2, 2}, DType::bfloat16)), {"bfloat16"}});
    calls.push_back({name, call(Tensor()), {"undefined"}});
    calls.push_back({name, call(f32({1, 1}).expand({std::int64_t{1} << 31, 1})), {"2147483648", "2147483647"}});
  }
  using System = Tensor (*)(const Tensor&, const Tensor&);
  for (const auto& [name, function] :
       {std::pair<const char*, System>{"solve", linalg::solve}, {"lstsq", linalg::lstsq}}) {
    const auto call = [function = function](const Tensor& a, const Tensor& b) { return [=] { function(a, b); }; };
    calls.push_back({name, call(f32({2, 2}), f32({3, 1})), {"[2, 2]", "[3, 1]"}});
    calls.push_back({name, call(f32({2, 2}), f32({3})), {"[2, 2]", "[3, 1]"}});
    calls.push_back({name, call(f32({2, 2}), f32({})), {"[2, 2]", "[]"}});
    calls.push_back({name, call(f32({2}), f32({2})), {"[2]"}});
    calls.push_back({name, call(f32({2, 2, 2}), f32({3, 2, 1})), {"[2]", "[3]"}});
    calls.push_back({name, call(f32({2, 2}), f64({2, 1})), {"float32", "float64"}});
    calls.push_back({name, call(i32({2, 2}), i32({2, 1})), {"int32"}});
    calls.push_back({name, call(f32({2, 2}), Tensor()), {"undefined"}});
    calls.push_back({name, call(Tensor(), f32({2, 2})), {"undefined"}});
  }
  calls.push_back({"solve", [] { linalg::solve(f32({2, 3}), f32({2, 1})); }, {"square", "[2, 3]"}});
  calls.push_back({"solve", [] { linalg::solve(f32({2, 2}), f32({2, 1})); }, {"[2, 2]", "singular", "pivot 1"}});
  calls.push_back({"qr",
                   [] {
                     const Tensor a = numbers.tensor<double>({2, 3}).set_requires_grad(true);
                     linalg::qr(a).r.sum().backward();
                   },
                   {"more columns than rows", "[2, 3]"}});
}

const FamilyOfOpCases solvers(add_solvers);
const FamilyOfOpCases decompositions(add_decompositions);
const FamilyOfWrongCalls wrong_calls(add_wrong_calls);

TEST(LinalgGradients, OfTheDeterminantHoldsForSingularMatrices) {
  for (const auto& values : {std::vector<double>{1, 2, 3, 2, 4, 6, 1, 0, 1}, std::vector<double>(9, 1)}) {
    const Tensor a = Tensor::from_vector(values, {3, 3}).set_requires_grad(true);
    EXPECT_EQ(gradcheck([](const Inputs& x) { return linalg::det(x[0]); }, {a}), "");
  }
}

TEST(LinalgGradients, OfEqualSingularAndEigenvaluesThroughTheValuesAlone) {
  const Tensor a = unit(3).set_requires_grad(true);
  linalg::svd(a).s.sum().backward();
  EXPECT_EQ(a.grad().to_vector<double>(), unit(3).to_vector<double>());
  const Tensor b = unit(3).set_requires_grad(true);
  linalg::eigh(b).eigenvalues.sum().backward();
  EXPECT_EQ(b.grad().to_vector<double>(), unit(3).to_vector<double>());
}

TEST(LinalgGradients, SignsOfDeterminantsHaveNone) {
  const Tensor a = unit(2).set_requires_grad(true);
  EXPECT_FALSE(linalg::slogdet(a).sign.requires_grad());
  EXPECT_TRUE(linalg::slogdet(a).logabsdet.requires_grad());
}

}  // namespace
}  // namespace feral
