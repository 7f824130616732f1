// Gradients and wrong calls of the ops that rearrange and join, and the tape of an op on a list.
#include "autograd/ops/arrange.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "autograd/ops/join.hpp"
#include "autograd/ops/pad.hpp"
#include "tensor/allocator.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"
#include "tests/tensor/elements.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_rearranged(std::vector<OpCase>& cases) {
  const auto unary = [&](const char* name, const char* detail, auto call) {
    const std::string of = detail;
    cases.push_back({name, of, [call](const Inputs& x) { return call(x[0]); }, {leaf({3, 4})}});
    cases.push_back({name,
                     of + ", view",
                     [call](const Inputs& x) { return call(turned(x[0]).narrow(0, 1, 3)); },
                     {leaf({3, 5})}});
    cases.push_back({name,
                     of + ", broadcast",
                     [call](const Inputs& x) {
                       return call(x[0].expand({3, 4}));
                     },
                     {leaf({4})}});
    // Not linear, so that second derivatives are not all 0.
    cases.push_back({name,
                     of + ", squared",
                     [call](const Inputs& x) { return call(x[0] * x[0]) * call(x[0]); },
                     {leaf({3, 4})}});
    cases.push_back(
        {name, of + ", empty", [call](const Inputs& x) { return call(x[0].narrow(0, 0, 3)); }, {leaf({3, 0})}});
  };
  unary("flip", "one dimension", [](const Tensor& x) { return x.flip(1); });
  unary("flip", "two dimensions", [](const Tensor& x) { return x.flip({0, -1}); });
  unary("flip", "rot90", [](const Tensor& x) { return x.rot90(1).rot90(2).rot90(3).rot90(3); });
  unary("cat", "roll", [](const Tensor& x) { return x.roll({1, 2}, {0, 1}).roll(5); });
  unary("expand", "repeat", [](const Tensor& x) { return x.repeat({2, 1, 3}).tile({2}); });
  unary("expand", "repeat_interleave",
        [](const Tensor& x) { return x.repeat_interleave(2, 0).repeat_interleave(2); });
  unary("tril", "", [](const Tensor& x) { return x.tril(1); });
  unary("triu", "", [](const Tensor& x) { return x.triu(-1); });
  unary("diag", "of a row", [](const Tensor& x) { return x.reshape({x.numel()}).diag(-2); });
  cases.push_back({"diagonal", "diag", [](const Inputs& x) { return x[0].diag(1); }, {leaf({3, 5})}});
  cases.push_back(
      {"diagonal", "diag, view", [](const Inputs& x) { return turned(x[0]).diag(-1); }, {leaf({3, 5})}});
  cases.push_back({"diagonal",
                   "diag, squared",
                   [](const Inputs& x) { return x[0].square().diag() * x[0].diag(); },
                   {leaf({3, 5})}});
  cases.push_back({"diagonal", "diag, empty", [](const Inputs& x) { return x[0].diag(3); }, {leaf({2, 3})}});
  const Tensor counts = Tensor::from_vector<std::int64_t>({2, 0, 3}, {3});
  cases.push_back({"index",
                   "repeat_interleave",
                   [=](const Inputs& x) { return x[0].square().repeat_interleave(counts, 0); },
                   {leaf({3, 2})}});

  unary("pad", "constant", [](const Tensor& x) { return pad(x, {1, 2, 0, 1}, PadMode::constant, 3); });
  unary("pad", "cut", [](const Tensor& x) { return pad(x, {-1, 2, 2, -2}); });
  const auto margins = [&](const char* detail, PadMode mode) {
    for (const auto& m : std::vector<std::vector<std::int64_t>>{{1, 2, 2, 1}, {-1, 3, 0, 1}}) {
      cases.push_back(
          {"cat", detail, [=](const Inputs& x) { return pad(x[0], m, mode).square(); }, {leaf({3, 4})}});
      cases.push_back({"cat",
                       detail + std::string(", view"),
                       [=](const Inputs& x) { return pad(turned(x[0]), m, mode).square(); },
                       {leaf({4, 3})}});
    }
  };
  margins("pad, reflect", PadMode::reflect);
  margins("pad, replicate", PadMode::replicate);
  margins("pad, circular", PadMode::circular);
}

void add_joined(std::vector<OpCase>& cases) {
  cases.push_back({"cat",
                   "two",
                   [](const Inputs& x) {
                     return cat({x[0], x[1]}, 1);
                   },
                   {leaf({2, 3}), leaf({2, 2})}});
  cases.push_back({"cat",
                   "products",
                   [](const Inputs& x) {
                     return cat({x[0] * x[1], x[1], x[0]}).square();
                   },
                   {leaf({2, 3}), leaf({2, 3})}});
  cases.push_back({"cat", "one", [](const Inputs& x) { return cat({x[0]}); }, {leaf({3})}});
  cases.push_back({"cat",
                   "one tensor many times",
                   [](const Inputs& x) { return cat(Inputs(7, x[0]), -1).square(); },
                   {leaf({2, 2})}});
  cases.push_back({"cat",
                   "six",
                   [](const Inputs& x) { return cat(x, 1).square(); },
                   {leaf({2, 1}), leaf({2, 2}), leaf({2, 0}), leaf({2, 1}), leaf({2, 3}), leaf({2, 1})}});
  cases.push_back({"cat",
                   "views and broadcasts",
                   [](const Inputs& x) {
                     return cat({turned(x[0]), x[1].expand({3, 2})}).square();
                   },
                   {leaf({2, 3}), leaf({2})}});
  cases.push_back({"cat",
                   "constants between",
                   [](const Inputs& x) {
                     const Tensor ones = Tensor::ones({2, 2}, DType::int32);
                     return cat({ones, x[0], ones, Tensor::ones({1, 2}), x[1]}).square();
                   },
                   {leaf({1, 2}), leaf({2, 2})}});
  cases.push_back({"cat",
                   "nothing",
                   [](const Inputs& x) {
                     return cat({x[0], x[1], x[0]}, 1).square();
                   },
                   {leaf({0}), leaf({2, 2})}});
  cases.push_back({"cat",
                   "stack",
                   [](const Inputs& x) {
                     return stack({x[0], x[1].exp(), x[0]}, 1);
                   },
                   {leaf({2, 3}), leaf({2, 3})}});
  cases.push_back({"cat",
                   "hstack, vstack",
                   [](const Inputs& x) {
                     return vstack({hstack({x[0], x[1]}).square(), x[1].tile({2})});
                   },
                   {leaf({3}), leaf({3})}});
  cases.push_back({"expand",
                   "meshgrid",
                   [](const Inputs& x) {
                     const std::vector<Tensor> grid = meshgrid({x[0], x[1]}, "xy");
                     return grid[0] * grid[1].square();
                   },
                   {leaf({3}), leaf({2})}});
  cases.push_back({"expand",
                   "broadcast_tensors",
                   [](const Inputs& x) {
                     const std::vector<Tensor> both = broadcast_tensors({x[0], x[1]});
                     return both[0] * both[1].square();
                   },
                   {leaf({3, 1}), leaf({2})}});
}

const FamilyOfOpCases rearranged_cases(add_rearranged);
const FamilyOfOpCases joined_cases(add_joined);

void add_wrong(std::vector<WrongCall>& calls) {
  calls.push_back({"flip", [] { (void)f32({2, 3}).flip(2); }, {"dimension 2"}});
  calls.push_back({"flip", [] { (void)f32({2, 3}).flip({1, -1}); }, {"dimension 1", "twice"}});
  calls.push_back({"flip", [] { (void)f32({}).flip(1); }, {"dimension 1"}});
  calls.push_back({"flip", [] { (void)Tensor().flip(0); }, {"undefined"}});
  calls.push_back({"roll", [] { (void)f32({2, 3}).roll({1}, {0, 1}); }, {"[1]", "[0, 1]"}});
  calls.push_back({"roll", [] { (void)f32({2, 3}).roll({1}, 2); }, {"dimension 2"}});
  calls.push_back({"roll", [] { (void)f32({}).roll({1}, 0); }, {"dimension 0"}});
  calls.push_back({"roll", [] { (void)Tensor().roll(1); }, {"undefined"}});
  calls.push_back({"rot90", [] { (void)f32({3}).rot90(1); }, {"[3]"}});
  calls.push_back({"rot90", [] { (void)f32({2, 3}).rot90(1, 1, -1); }, {"dimension 1", "twice"}});
  calls.push_back({"rot90", [] { (void)Tensor().rot90(1); }, {"undefined"}});
  calls.push_back({"repeat", [] { (void)f32({2, 3}).repeat({2}); }, {"[2]", "[2, 3]"}});
  calls.push_back({"repeat", [] { (void)f32({2, 3}).repeat({2, -1}); }, {"-1"}});
  calls.push_back({"repeat", [] { (void)f32({2, 3}).repeat({1, std::int64_t{1} << 62}); }, {"too many"}});
  calls.push_back({"repeat", [] { (void)Tensor().repeat({2}); }, {"undefined"}});
  calls.push_back({"tile", [] { (void)f32({2, 3}).tile({-2}); }, {"-2"}});
  calls.push_back({"tile", [] { (void)Tensor().tile({2}); }, {"undefined"}});
  calls.push_back({"repeat_interleave", [] { (void)f32({2, 3}).repeat_interleave(-2); }, {"-2"}});
  calls.push_back({"repeat_interleave", [] { (void)f32({2, 3}).repeat_interleave(2, 2); }, {"dimension 2"}});
  calls.push_back({"repeat_interleave",
                   [] {
                     (void)f32({2, 3}).repeat_interleave(labels({1, 2}), 1);
                   },
                   {"[2]", "[2, 3]"}});
  calls.push_back({"repeat_interleave", [] { (void)f32({2, 3}).repeat_interleave(labels({1, -2}), 0); }, {"-2"}});
  calls.push_back({"repeat_interleave",
                   [] {
                     (void)f32({2}).repeat_interleave(labels({INT64_MAX, 2}), 0);
                   },
                   {"too many"}});
  calls.push_back({"repeat_interleave", [] { (void)f32({2}).repeat_interleave(f32({2}), 0); }, {"float32"}});
  calls.push_back({"repeat_interleave", [] { (void)f32({2}).repeat_interleave(Tensor(), 0); }, {"undefined"}});
  calls.push_back({"tril", [] { (void)f32({3}).tril(); }, {"[3]"}});
  calls.push_back({"tril", [] { (void)Tensor().tril(); }, {"undefined"}});
  calls.push_back({"triu", [] { (void)f32({}).triu(); }, {"[]"}});
  calls.push_back({"triu", [] { (void)Tensor().triu(); }, {"undefined"}});
  calls.push_back({"diag", [] { (void)f32({}).diag(); }, {"[]"}});
  calls.push_back({"diag", [] { (void)f32({2}).diag(INT64_MIN); }, {"too far"}});
  calls.push_back({"diag", [] { (void)f32({2}).diag(INT64_MAX); }, {"too far"}});
  calls.push_back({"diag", [] { (void)Tensor().diag(); }, {"undefined"}});
  calls.push_back({"one_hot", [] { (void)labels({0, 3}).one_hot(3); }, {"class 3", "3 classes"}});
  calls.push_back({"one_hot", [] { (void)labels({0, -3}).one_hot(); }, {"class -3"}});
  calls.push_back({"one_hot", [] { (void)labels({0, 3}).one_hot(-2); }, {"-2"}});
  calls.push_back({"one_hot", [] { (void)labels({INT64_MAX}).one_hot(); }, {"too large"}});
  calls.push_back({"one_hot", [] { (void)labels({}).one_hot(); }, {"[0]"}});
  calls.push_back({"one_hot", [] { (void)labels({}).one_hot(0); }, {"[0]"}});
  calls.push_back({"one_hot", [] { (void)f32({2}).one_hot(); }, {"float32"}});
  calls.push_back({"one_hot", [] { (void)Tensor().one_hot(); }, {"undefined"}});

  calls.push_back({"cat", [] { (void)cat({f32({2, 3}), f32({2, 4})}); }, {"[2, 3]", "[2, 4]", "dimension 0"}});
  calls.push_back({"cat", [] { (void)cat({f32({2, 3}), f32({2})}); }, {"[2, 3]", "[2]"}});
  calls.push_back({"cat", [] { (void)cat({f32({2, 3}), f32({})}); }, {"[2, 3]", "[]"}});
  calls.push_back({"cat", [] { (void)cat({f32({}), f32({})}); }, {"without dimensions"}});
  calls.push_back({"cat", [] { (void)cat({f32({2}), f32({2})}, 1); }, {"dimension 1"}});
  calls.push_back({"cat", [] { (void)cat({f32({2}), Tensor(), f32({2})}); }, {"undefined"}});
  calls.push_back({"cat", [] { (void)cat(std::vector<Tensor>{}); }, {"empty"}});
  calls.push_back({"stack", [] { (void)stack({f32({2, 3}), f32({3, 2})}); }, {"[2, 3]", "[3, 2]"}});
  calls.push_back({"stack", [] { (void)stack({f32({2})}, 2); }, {"dimension 2"}});
  calls.push_back({"stack", [] { (void)stack({f32({2}), Tensor()}); }, {"undefined"}});
  calls.push_back({"stack", [] { (void)stack(std::vector<Tensor>{}); }, {"empty"}});
  calls.push_back({"hstack", [] { (void)hstack({Tensor()}); }, {"undefined"}});
  calls.push_back({"vstack", [] { (void)vstack(std::vector<Tensor>{}); }, {"empty"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {1}); }, {"1 margins", "[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {1, 1, 1, 1, 1, 1}); }, {"6 margins", "[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {-2, -2}); }, {"-2", "[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {INT64_MIN, INT64_MAX}); }, {"[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {INT64_MAX, INT64_MAX}); }, {"[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {3, 0}, PadMode::reflect); }, {"3", "[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 3}), {0, 4}, PadMode::circular); }, {"4", "[2, 3]"}});
  calls.push_back({"pad", [] { (void)pad(f32({2, 0}), {1, 0}, PadMode::replicate); }, {"[2, 0]"}});
  calls.push_back({"pad", [] { (void)pad(Tensor(), {1, 0}); }, {"undefined"}});
}

const FamilyOfWrongCalls wrong_calls(add_wrong);

// The tape of an op on a list.

TEST(CatTape, EachInputGetsItsPart) {
  std::vector<Tensor> parts;
  for (int i = 0; i < 6; ++i) {
    parts.push_back(Tensor::full({2, i + 1}, i));
    if (i % 2 == 1) parts.back().set_requires_grad(true);  // in between are inputs without a gradient
  }
  const Tensor weights = Tensor::arange(2 * 21).reshape({2, 21}).to(DType::float32);
  (cat(parts, 1) * weights).sum().backward();
  std::int64_t start = 0;
  for (int i = 0; i < 6; ++i) {
    const Tensor& part = parts[static_cast<std::size_t>(i)];
    if (i % 2 == 0) {
      EXPECT_FALSE(part.grad().defined());
    } else {
      expect_elements(part.grad(), {2, i + 1}, DType::float32, [&](const Position& p) {
        return element(weights, {p[0], start + p[1]});
      });
    }
    start += i + 1;
  }
}

TEST(CatTape, GradientsHaveTheInputsTypes) {
  Tensor f = Tensor::ones({2});
  Tensor d = Tensor::ones({3}, DType::float64);
  const Tensor i = Tensor::ones({1}, DType::int64);
  f.set_requires_grad(true);
  d.set_requires_grad(true);
  const Tensor joined = cat({i, f, d});
  EXPECT_EQ(joined.dtype(), DType::float64);
  joined.square().sum().backward();
  expect_vector<float>(f.grad(), {2}, {2, 2});
  expect_vector<double>(d.grad(), {3}, {2, 2, 2});
}

TEST(CatTape, NothingIsRecordedWithoutNeed) {
  Tensor x = Tensor::ones({2});
  EXPECT_FALSE(cat({x, x}).requires_grad());
  x.set_requires_grad(true);
  EXPECT_TRUE(cat({x, Tensor::ones({1})}).requires_grad());
  const NoGradGuard no_grad;
  EXPECT_FALSE(cat({x, x}).requires_grad());
}

TEST(CatTape, IsFreedAndAllocatesNothingOnceWarm) {
  Tensor x = Tensor::ones({2, 3}).set_requires_grad(true);
  const Tensor y = Tensor::ones({2, 3});
  const auto step = [&] {
    // Ten inputs: edges and gradients beyond what stands in place.
    const Tensor inputs[] = {x, y, x * x, y, x, y, x, x, y, x.exp()};
    stack(inputs, 1).square().sum().backward();
    x.set_grad({});
    (void)cat(inputs);  // recorded, and dropped without a way back
  };
  for (int i = 0; i < 3; ++i) step();
  const AllocatorStatistics before = allocator_statistics();
  for (int i = 0; i < 20; ++i) step();
  const AllocatorStatistics after = allocator_statistics();
  EXPECT_EQ(after.heap_allocations, before.heap_allocations);
  EXPECT_EQ(after.cached_bytes, before.cached_bytes);
}

TEST(CatTape, ASecondBackwardNeedsTheGraphKept) {
  Tensor x = Tensor::ones({2}).set_requires_grad(true);
  const Tensor sum = cat({x, x}).sum();
  sum.backward({}, true);
  sum.backward();
  expect_vector<float>(x.grad(), {2}, {4, 4});
  EXPECT_NE(error_of([&] { sum.backward(); }), "");
}

TEST(CatTape, ALongChainOfJoinsIsFreedWithoutRecursion) {
  Tensor x = Tensor::ones({1}).set_requires_grad(true);
  Tensor chain = x;
  for (int i = 0; i < 100000; ++i) chain = cat({chain.narrow(0, 0, 1)});
  chain.backward();
  expect_vector<float>(x.grad(), {1}, {1});
}

}  // namespace
}  // namespace feral
