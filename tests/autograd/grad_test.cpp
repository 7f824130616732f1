// autograd::grad: gradients as answers.
#include "autograd/grad.hpp"

#include <gtest/gtest.h>

#include "autograd/op.hpp"
#include "autograd/ops/check.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/support/messages.hpp"

namespace feral::autograd {
namespace {

using support::error_of;
using support::has;
using support::leaf;
using Values = std::vector<double>;

// Doubles, and counts how often its gradient is asked for.
int passes = 0;
struct CountedDouble {
  static constexpr std::string_view name = "counted_double";
  static constexpr int arity = 1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }
  static void run(const Attributes&, const Tensor& out, Aux<CountedDouble>&, const Tensor& x) {
    const NoGradGuard guard;
    out.copy_(x * 2);
  }
  static Gradients<1> gradient(const Saved<CountedDouble>&, const Tensor& gradient) {
    ++passes;
    return {gradient * 2};
  }
};

TEST(Grad, AnswersForLeavesAndResultsAndLeavesGradAlone) {
  const Tensor x = leaf({2, 3});
  const Tensor w = leaf({5, 7});
  const Tensor middle = x * w;
  const std::vector<Tensor> answers = grad({(middle * middle).sum()}, {middle, x});
  EXPECT_EQ(answers[0].to_vector<double>(), (Values{20, 42}));
  EXPECT_EQ(answers[1].to_vector<double>(), (Values{100, 294}));
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(w.grad().defined());
}

TEST(Grad, AddsUpOverOutputsEachWithItsWeights) {
  const Tensor x = leaf({2, 3});
  const std::vector<Tensor> answers =
      grad({x * x, x.sum()}, {x}, {Tensor::from_vector(Values{1, 10}, {2}), Tensor::full({}, 3, DType::float64)});
  EXPECT_EQ(answers[0].to_vector<double>(), (Values{7, 63}));
}

TEST(Grad, ComputesOnlyWhatLeadsToAnInput) {
  const Tensor x = leaf({2});
  const Tensor w = leaf({3});
  const Tensor counted = apply<CountedDouble>({}, w);
  passes = 0;
  const Tensor loss = (x * counted).sum();
  EXPECT_EQ(grad({loss}, {x}, {}, {.retain_graph = true})[0].to_vector<double>(), (Values{6}));
  EXPECT_EQ(passes, 0);
  EXPECT_EQ(grad({loss}, {w}, {}, {.retain_graph = true})[0].to_vector<double>(), (Values{4}));
  EXPECT_EQ(passes, 1);
  // Behind an input that is asked for there is nothing to do either.
  EXPECT_EQ(grad({loss}, {counted})[0].to_vector<double>(), (Values{2}));
  EXPECT_EQ(passes, 1);
}

TEST(Grad, LeavesTheTapeAsItWasForABackward) {
  const Tensor x = leaf({2});
  const Tensor w = leaf({3});
  const Tensor loss = (x * w * w).sum();
  grad({loss}, {x}, {}, {.retain_graph = true});
  loss.backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (Values{12}));
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{9}));
}

TEST(Grad, OfGrad) {
  const Tensor x = leaf({2});
  const Tensor cube = (x * x * x).sum();
  const Tensor first = grad({cube}, {x}, {}, {.create_graph = true})[0];
  const Tensor second = grad({first.sum()}, {x}, {}, {.create_graph = true})[0];
  const Tensor third = grad({second.sum()}, {x})[0];
  EXPECT_EQ(first.item(), 12);
  EXPECT_EQ(second.item(), 12);
  EXPECT_EQ(third.item(), 6);
}

TEST(Grad, OfTheOutputItselfIsItsWeight) {
  const Tensor x = leaf({2, 4});
  const Tensor y = x * 3;
  const Tensor weight = Tensor::from_vector(Values{5, 6}, {2});
  EXPECT_EQ(grad({y}, {y}, {weight}, {.retain_graph = true})[0].to_vector<double>(), (Values{5, 6}));
  EXPECT_EQ(grad({x}, {x}, {weight})[0].to_vector<double>(), (Values{5, 6}));
}

TEST(Grad, AnInputThatNothingDependsOnIsAnErrorUnlessAllowed) {
  const Tensor x = leaf({2});
  const Tensor other = leaf({2});
  EXPECT_TRUE(has(error_of([&] { grad({x * 2}, {x, other}); }), {"grad: ", "input 1", "allow_unused"}));
  const std::vector<Tensor> answers = grad({x * 2}, {x, other}, {}, {.allow_unused = true});
  EXPECT_EQ(answers[0].item(), 2);
  EXPECT_FALSE(answers[1].defined());
}

TEST(Grad, RefusesWhatHasNoGradient) {
  const Tensor x = leaf({2});
  const Tensor plain = Tensor::ones({1}, DType::float64);
  EXPECT_TRUE(has(error_of([&] { grad({x * 2}, {plain}); }), {"grad: ", "input 0", "requires no gradient"}));
  EXPECT_TRUE(has(error_of([&] { grad({plain}, {x}); }), {"grad: ", "[1]"}));
  EXPECT_TRUE(has(error_of([&] { grad({x * 2}, {}); }), {"grad: ", "no inputs"}));
  EXPECT_TRUE(has(error_of([&] { grad({leaf({1, 2}) * 2}, {x}); }), {"grad: ", "[2]", "scalar"}));
  EXPECT_TRUE(has(error_of([&] { grad({x}, {x}, {x, x}); }), {"grad: ", "2 gradients for 1"}));
}

TEST(Backward, FromSeveralOutputsGoesThroughTheTapeOnce) {
  const Tensor x = leaf({2});
  const Tensor shared = x * x;
  backward({shared * 2, shared * 3});
  EXPECT_EQ(x.grad().item(), 20);
}

}  // namespace
}  // namespace feral::autograd
