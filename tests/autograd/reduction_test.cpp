// Reductions, scans and softmax: gradients against finite differences, zeros and ties, and wrong calls.
#include "autograd/ops/reduction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/ops/classification.hpp"
#include "autograd/ops/extreme.hpp"
#include "autograd/ops/moments.hpp"
#include "autograd/ops/scan.hpp"
#include "autograd/ops/softmax.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor float64(const std::vector<double>& values, const Shape& shape) { return Tensor::from_vector(values, shape); }

// An op over some, all, kept and no dimensions of size above 1, and over views.
void add_reduction(std::vector<OpCase>& cases, const char* op, const std::function<Tensor(const Shape&)>& make,
                   const std::function<Tensor(const Tensor&, const Dims&, bool)>& call) {
  cases.push_back({op, "all", [=](const Inputs& x) { return call(x[0], {}, false); }, {make({2, 3})}});
  cases.push_back({op, "all kept", [=](const Inputs& x) { return call(x[0], {}, true); }, {make({2, 3})}});
  cases.push_back({op, "first", [=](const Inputs& x) { return call(x[0], 0, false); }, {make({4, 3})}});
  cases.push_back({op, "last kept", [=](const Inputs& x) { return call(x[0], -1, true); }, {make({2, 4})}});
  cases.push_back({op, "outer two", [=](const Inputs& x) { return call(x[0], {0, 2}, false); }, {make({2, 3, 2})}});
  cases.push_back({op, "middle", [=](const Inputs& x) { return call(x[0], 1, true); }, {make({2, 3, 2})}});
  cases.push_back({op, "view", [=](const Inputs& x) { return call(turned(x[0]), 1, false); }, {make({4, 2})}});
  cases.push_back(
      {op,
       "broadcast",
       [=](const Inputs& x) {
         return call(x[0].expand({2, 3}) * float64({1, 2, 3}, {3}) + float64({0.1, -0.25, 0}, {3}), 1, false);
       },
       {make({2, 1})}});
  cases.push_back({op, "vector", [=](const Inputs& x) { return call(x[0], {}, false); }, {make({5})}});
}

Tensor any_leaf(const Shape& shape) { return leaf(shape); }

// The first row is 0 in one place, the second in two.
Tensor leaf_with_zeros() {
  return float64({1.5, 0, -2, 0.5, 0, 3, 0, -1, 2, 1, -0.5, 1.25}, {3, 4}).set_requires_grad(true);
}

void add_cases(std::vector<OpCase>& cases) {
  add_reduction(cases, "sum", any_leaf, [](const Tensor& x, const Dims& d, bool k) { return x.sum(d, k); });
  add_reduction(cases, "mean", any_leaf, [](const Tensor& x, const Dims& d, bool k) { return x.mean(d, k); });
  add_reduction(cases, "prod", any_leaf, [](const Tensor& x, const Dims& d, bool k) { return x.prod(d, k); });
  cases.push_back({"prod", "zeros", [](const Inputs& x) { return x[0].prod(1); }, {leaf_with_zeros()}});
  cases.push_back(
      {"prod", "zeros, view", [](const Inputs& x) { return turned(x[0]).prod(0); }, {leaf_with_zeros()}});
  cases.push_back({"prod", "0-dim", [](const Inputs& x) { return x[0].prod() * x[0]; }, {leaf({})}});
  cases.push_back({"prod",
                   "of a permuted tensor",
                   [](const Inputs& x) {
                     return x[0].transpose(0, 2).prod({0, 2});
                   },
                   {leaf({2, 3, 2})}});
  add_reduction(cases, "amax", leaf_without_ties,
                [](const Tensor& x, const Dims& d, bool k) { return x.amax(d, k); });
  add_reduction(cases, "amin", leaf_without_ties,
                [](const Tensor& x, const Dims& d, bool k) { return x.amin(d, k); });
  cases.push_back({"amax", "max", [](const Inputs& x) { return x[0].max(); }, {leaf_without_ties({2, 3})}});
  cases.push_back({"amin", "min", [](const Inputs& x) { return x[0].min(); }, {leaf_without_ties({2, 3})}});
  cases.push_back({"median", "odd", [](const Inputs& x) { return x[0].median(); }, {leaf_without_ties({7})}});
  cases.push_back(
      {"median", "view", [](const Inputs& x) { return turned(x[0]).median(); }, {leaf_without_ties({2, 4})}});
  const auto values = [&](const char* detail, ValuesIndices (Tensor::*method)(std::int64_t, bool) const) {
    const auto call = [=](std::int64_t dim, bool keepdim) {
      return [=](const Inputs& x) { return (x[0].*method)(dim, keepdim).values; };
    };
    cases.push_back({"gather", detail, call(0, false), {leaf_without_ties({3, 2})}});
    cases.push_back({"gather", detail, call(-1, true), {leaf_without_ties({2, 3, 4})}});
    cases.push_back({"gather",
                     detail,
                     [=](const Inputs& x) { return (turned(x[0]).*method)(1, false).values; },
                     {leaf_without_ties({3, 4})}});
    cases.push_back({"gather", detail, call(0, false), {leaf_without_ties({})}});
  };
  values("max", &Tensor::max);
  values("min", &Tensor::min);
  values("median", &Tensor::median);
  add_reduction(cases, "var", any_leaf, [](const Tensor& x, const Dims& d, bool k) { return x.var(d, 0, k); });
  add_reduction(cases, "std", leaf_without_ties,
                [](const Tensor& x, const Dims& d, bool k) { return x.std(d, 0.5, k); });
  cases.push_back({"var", "Bessel's", [](const Inputs& x) { return x[0].var(); }, {leaf({2, 3})}});
  cases.push_back({"std", "Bessel's", [](const Inputs& x) { return x[0].std(); }, {leaf({2, 3})}});
  for (const double p : {1.0, 2.0, 3.0, 1.5, 0.5, -1.0, 2.5}) {
    add_reduction(cases, "norm", leaf_away_from_zero,
                  [p](const Tensor& x, const Dims& d, bool k) { return x.norm(p, d, k); });
  }
  for (const double p : {inf, -inf}) {
    cases.push_back({"norm", "infinite", [p](const Inputs& x) { return x[0].norm(p, 1); }, {[] {
                       return float64({1, -3, 2, 0.5, -0.25, 2.5}, {2, 3}).set_requires_grad(true);
                     }()}});
  }
  cases.push_back({"norm", "with a zero", [](const Inputs& x) { return x[0].norm(2, 1); }, {leaf_with_zeros()}});
  cases.push_back({"norm",
                   "p = 3 with a zero",
                   [](const Inputs& x) { return x[0].norm(3, 1); },
                   {
                       [] {
                         return float64({1, -3, 0, 0.5, -0.25, 2.5}, {2, 3}).set_requires_grad(true);
                       }(),
                   },
                   {.absolute = 1e-5}});
  add_reduction(cases, "logsumexp", any_leaf,
                [](const Tensor& x, const Dims& d, bool k) { return x.logsumexp(d, k); });

  const auto along = [&](const char* op, const std::function<Tensor(const Tensor&, std::int64_t)>& call) {
    cases.push_back({op, "last", [=](const Inputs& x) { return call(x[0], -1); }, {leaf({3, 4})}});
    cases.push_back({op, "first", [=](const Inputs& x) { return call(x[0], 0); }, {leaf({3, 4})}});
    cases.push_back({op, "middle", [=](const Inputs& x) { return call(x[0], 1); }, {leaf({2, 3, 2})}});
    cases.push_back({op, "view", [=](const Inputs& x) { return call(turned(x[0]), 1); }, {leaf({3, 2})}});
    cases.push_back({op, "0-dim", [=](const Inputs& x) { return call(x[0], 0) * x[0]; }, {leaf({})}});
    cases.push_back({op, "empty", [=](const Inputs& x) { return call(x[0], 1); }, {leaf({2, 0})}});
  };
  along("cumsum", [](const Tensor& x, std::int64_t dim) { return x.cumsum(dim); });
  along("cumprod", [](const Tensor& x, std::int64_t dim) { return x.cumprod(dim); });
  along("softmax", [](const Tensor& x, std::int64_t dim) { return x.softmax(dim); });
  along("log_softmax", [](const Tensor& x, std::int64_t dim) { return x.log_softmax(dim); });
  cases.push_back({"cumprod", "zeros", [](const Inputs& x) { return x[0].cumprod(1); }, {leaf_with_zeros()}});
  cases.push_back({"log_softmax", "of a batch", [](const Inputs& x) { return log_softmax(x[0]); }, {leaf({3, 4})}});
  for (const bool reverse : {false, true}) {
    cases.push_back(
        {"recurrence",
         "",
         [=](const Inputs& x) { return apply<ops::Recurrence>({.dim = 1, .reverse = reverse}, x[0], x[1]); },
         {leaf({2, 4}), leaf({2, 4})}});
    cases.push_back({"recurrence",
                     "views",
                     [=](const Inputs& x) {
                       return apply<ops::Recurrence>({.dim = 0, .reverse = reverse}, turned(x[0]), x[1]);
                     },
                     {leaf({2, 4}), leaf({4, 2})}});
  }
}
const FamilyOfOpCases op_cases(add_cases);

void add_calls(std::vector<WrongCall>& calls) {
  const auto named = [&](const char* op, const std::function<Tensor(const Tensor&, const Dims&)>& call) {
    calls.push_back({op, [=] { (void)call(f32({2, 3}), 2); }, {"dimension 2", "2 dimensions"}});
    calls.push_back({op, [=] { (void)call(f32({2, 3}), {1, -1}); }, {"dimension -1", "twice"}});
    calls.push_back({op, [=] { (void)call(f32({}), 1); }, {"dimension 1"}});
    calls.push_back({op, [=] { (void)call(Tensor(), {}); }, {"undefined"}});
  };
  named("sum", [](const Tensor& x, const Dims& d) { return x.sum(d); });
  named("mean", [](const Tensor& x, const Dims& d) { return x.mean(d); });
  named("prod", [](const Tensor& x, const Dims& d) { return x.prod(d); });
  named("any", [](const Tensor& x, const Dims& d) { return x.any(d); });
  named("all", [](const Tensor& x, const Dims& d) { return x.all(d); });
  named("count_nonzero", [](const Tensor& x, const Dims& d) { return x.count_nonzero(d); });
  named("amax", [](const Tensor& x, const Dims& d) { return x.amax(d); });
  named("amin", [](const Tensor& x, const Dims& d) { return x.amin(d); });
  named("var", [](const Tensor& x, const Dims& d) { return x.var(d); });
  named("std", [](const Tensor& x, const Dims& d) { return x.std(d); });
  named("norm", [](const Tensor& x, const Dims& d) { return x.norm(2, d); });
  named("logsumexp", [](const Tensor& x, const Dims& d) { return x.logsumexp(d); });
  calls.push_back({"mean", [] { (void)apply<ops::Mean>({}, i32({2})); }, {"int32"}});
  calls.push_back({"var", [] { (void)apply<ops::Var>({}, i32({2})); }, {"int32"}});
  calls.push_back({"amax", [] { (void)f32({2, 0}).amax(1); }, {"dimension 1", "[2, 0]"}});
  calls.push_back({"amin", [] { (void)f32({2, 0}).amin({}); }, {"dimension 1", "[2, 0]"}});
  calls.push_back({"max", [] { (void)f32({0}).max(); }, {"[0]"}});
  calls.push_back({"min", [] { (void)f32({2, 0}).min(1); }, {"[2, 0]"}});
  calls.push_back({"max", [] { (void)f32({2, 3}).max(2); }, {"dimension 2"}});
  calls.push_back({"max", [] { (void)Tensor().max(); }, {"undefined"}});
  calls.push_back({"min", [] { (void)Tensor().min(0); }, {"undefined"}});
  calls.push_back({"median", [] { (void)f32({2, 3}).median(-3); }, {"dimension -3"}});
  calls.push_back({"median", [] { (void)f32({0, 3}).median(0); }, {"[0, 3]"}});
  calls.push_back({"median", [] { (void)i32({0}).median(); }, {"int32 [0]"}});
  calls.push_back({"median", [] { (void)Tensor().median(); }, {"undefined"}});
  calls.push_back({"argmax", [] { (void)f32({2, 3}).argmax(2); }, {"dimension 2"}});
  calls.push_back({"argmax", [] { (void)f32({2, 0}).argmax(1); }, {"[2, 0]"}});
  calls.push_back({"argmax", [] { (void)Tensor().argmax(0); }, {"undefined"}});
  calls.push_back({"argmin", [] { (void)f32({2, 3}).argmin(-3); }, {"dimension -3"}});
  calls.push_back({"argmin", [] { (void)f32({0}).argmin(); }, {"[0]"}});
  calls.push_back({"argmin", [] { (void)Tensor().argmin(); }, {"undefined"}});
  calls.push_back({"argmedian", [] { (void)apply<ops::Argmedian>({.dim = 0}, f32({0})); }, {"[0]"}});
  calls.push_back({"cumsum", [] { (void)f32({2, 3}).cumsum(2); }, {"dimension 2"}});
  calls.push_back({"cumsum", [] { (void)Tensor().cumsum(0); }, {"undefined"}});
  calls.push_back({"cumprod", [] { (void)f32({2, 3}).cumprod(-3); }, {"dimension -3"}});
  calls.push_back(
      {"recurrence", [] { (void)apply<ops::Recurrence>({.dim = 0}, f32({2}), f32({3})); }, {"[2]", "[3]"}});
  calls.push_back(
      {"recurrence", [] { (void)apply<ops::Recurrence>({.dim = 0}, f32({2}), f64({2})); }, {"float32", "float64"}});
  calls.push_back({"softmax", [] { (void)f32({2, 3}).softmax(2); }, {"dimension 2"}});
  calls.push_back({"softmax", [] { (void)Tensor().softmax(0); }, {"undefined"}});
  calls.push_back({"log_softmax", [] { (void)f32({2, 3}).log_softmax(-3); }, {"dimension -3"}});
}
const FamilyOfWrongCalls wrong_calls(add_calls);

std::vector<double> gradient_of(const std::function<Tensor(const Tensor&)>& function, Tensor x) {
  x.set_requires_grad(true);
  function(x).sum().backward();
  return x.grad().to_vector<double>();
}

TEST(ReductionGradients, EqualOnesShareInAmaxAndTheFirstTakesAllInMax) {
  const Tensor x = float64({1, 3, 3, 0, 2, 2, 2, 2}, {2, 4});
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.amax(1); }, x.clone()),
            (std::vector<double>{0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.max(1).values; }, x.clone()),
            (std::vector<double>{0, 1, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.min(1).values; }, x.clone()),
            (std::vector<double>{0, 0, 0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.median(1).values; }, x.clone()),
            (std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.max(); }, x.clone()),
            (std::vector<double>{0, 0.5, 0.5, 0, 0, 0, 0, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.median(); }, x.clone()),
            (std::vector<double>{0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25}));
}

TEST(ReductionGradients, AreFlatWhereARootOrNormIsZero) {
  const std::vector<double> zeros(3);
  const Tensor same = Tensor::full({3}, 2, DType::float64);
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.std(); }, same.clone()), zeros);
  const Tensor nothing = Tensor::zeros({3}, DType::float64);
  for (const double p : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
    EXPECT_EQ(gradient_of([p](const Tensor& t) { return t.norm(p); }, nothing.clone()), zeros) << p;
  }
}

TEST(ReductionGradients, OfLogsumexpAreZeroWhereThereIsOnlyMinusInfinity) {
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.logsumexp(0); }, float64({-inf, -inf}, {2})),
            (std::vector<double>{0, 0}));
}

TEST(ReductionGradients, OfAProductWithZerosAreTheOthersProduct) {
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.prod(); }, float64({2, 0, 3}, {3})),
            (std::vector<double>{0, 6, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.prod(); }, float64({0, 0, 3}, {3})),
            (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(gradient_of([](const Tensor& t) { return t.cumprod(0); }, float64({2, 0, 3}, {3})),
            (std::vector<double>{1, 8, 0}));
}

}  // namespace
}  // namespace feral
