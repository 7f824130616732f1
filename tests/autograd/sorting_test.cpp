// Gradients through order, and wrong calls of the ops that order.
#include "autograd/ops/sorting.hpp"

#include <gtest/gtest.h>

#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_ordered(std::vector<OpCase>& cases) {
  const auto unary = [&](const char* detail, auto call) {
    const std::string of = detail;
    cases.push_back(
        {"gather", of, [call](const Inputs& x) { return call(x[0]).square(); }, {leaf_without_ties({3, 4})}});
    cases.push_back({"gather",
                     of + ", view",
                     [call](const Inputs& x) { return call(turned(x[0])).square(); },
                     {leaf_without_ties({4, 3})}});
  };
  unary("sort", [](const Tensor& x) { return x.sort().values; });
  unary("sort along the first", [](const Tensor& x) { return x.sort(0, true).values; });
  unary("topk", [](const Tensor& x) { return x.topk(2).values; });
  unary("topk, smallest", [](const Tensor& x) { return x.topk(2, 0, false).values; });
  unary("kthvalue", [](const Tensor& x) { return x.kthvalue(2, 0).values; });
  unary("kthvalue, keepdim", [](const Tensor& x) { return x.kthvalue(2, 1, true).values; });
  unary("unique", [](const Tensor& x) { return x.unique().values; });
  cases.push_back(
      {"gather",
       "a number",
       [](const Inputs& x) { return x[0].sort().values * x[0].topk(1).values * x[0].kthvalue(1).values; },
       {leaf({})}});
}

const FamilyOfOpCases ordered_cases(add_ordered);

void add_wrong(std::vector<WrongCall>& calls) {
  calls.push_back({"sort", [] { (void)f32({2, 3}).sort(2); }, {"dimension 2"}});
  calls.push_back({"sort", [] { (void)Tensor().sort(); }, {"undefined"}});
  calls.push_back({"argsort", [] { (void)f32({2, 3}).argsort(-3); }, {"dimension -3"}});
  calls.push_back({"argsort", [] { (void)f32({}).argsort(1); }, {"dimension 1"}});
  calls.push_back({"argsort", [] { (void)Tensor().argsort(); }, {"undefined"}});
  calls.push_back({"topk", [] { (void)f32({2, 3}).topk(4); }, {"4", "dimension 1", "[2, 3]"}});
  calls.push_back({"topk", [] { (void)f32({2, 3}).topk(-1); }, {"-1"}});
  calls.push_back({"topk", [] { (void)f32({}).topk(2); }, {"2"}});
  calls.push_back({"topk", [] { (void)f32({2, 3}).topk(1, 2); }, {"dimension 2"}});
  calls.push_back({"topk", [] { (void)Tensor().topk(1); }, {"undefined"}});
  calls.push_back({"kthvalue", [] { (void)f32({2, 3}).kthvalue(0); }, {"0", "[2, 3]"}});
  calls.push_back({"kthvalue", [] { (void)f32({2, 3}).kthvalue(4); }, {"4", "[2, 3]"}});
  calls.push_back({"kthvalue", [] { (void)f32({2, 0}).kthvalue(1); }, {"[2, 0]"}});
  calls.push_back({"kthvalue", [] { (void)f32({2, 3}).kthvalue(1, 2); }, {"dimension 2"}});
  calls.push_back({"kthvalue", [] { (void)Tensor().kthvalue(1); }, {"undefined"}});
  calls.push_back({"unique", [] { (void)Tensor().unique(); }, {"undefined"}});
  calls.push_back({"searchsorted", [] { (void)searchsorted(f32({}), f32({2})); }, {"dimension"}});
  calls.push_back({"searchsorted", [] { (void)searchsorted(f32({2, 3}), f32({3, 3})); }, {"[2, 3]", "[3, 3]"}});
  calls.push_back({"searchsorted", [] { (void)searchsorted(f32({2, 3}), f32({2})); }, {"[2, 3]", "[2]"}});
  calls.push_back({"searchsorted", [] { (void)searchsorted(Tensor(), f32({2})); }, {"undefined"}});
  calls.push_back({"searchsorted", [] { (void)searchsorted(f32({2}), Tensor()); }, {"undefined"}});
  calls.push_back(
      {"searchsorted", [] { apply<ops::Searchsorted>({}, f32({2}), f64({2})); }, {"float32", "float64"}});
}

const FamilyOfWrongCalls wrong_calls(add_wrong);

TEST(Order, TheFirstOfEqualsGetsTheGradient) {
  Tensor x = Tensor::ones({3}).set_requires_grad(true);
  x.topk(1).values.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{1, 0, 0}));
}

}  // namespace
}  // namespace feral
