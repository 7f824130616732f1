// Passes inside of passes, and gradients that do not fit any more.
#include <gtest/gtest.h>

#include <thread>

#include "autograd/checkpoint.hpp"
#include "autograd/function.hpp"
#include "autograd/functional.hpp"
#include "autograd/grad.hpp"
#include "autograd/grad_mode.hpp"
#include "nn/linear.hpp"
#include "optim/clip_grad.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/support/messages.hpp"

namespace feral::autograd {
namespace {

using support::error_of;
using support::has;
using support::leaf;
using Values = std::vector<double>;
using Tensors = std::vector<Tensor>;

TEST(NestedPass, AGradInsideOfAHookLeavesTheOuterPassAlone) {
  const Tensor x = leaf({1});
  const Tensor a = x * 2;
  const Tensor b = a * 3;
  const Tensor d = b * 1;
  const Tensor c = a * 5;
  double inner = 0;
  d.register_hook([&](const Tensor&) {
    inner =
        grad({b}, {x}, {Tensor::ones({1}, DType::float64)}, {.retain_graph = true, .allow_unused = true})[0].item();
    return Tensor();
  });
  (d + c).sum().backward();
  EXPECT_EQ(inner, 6);
  EXPECT_EQ(x.grad().item(), 16);
}

TEST(NestedPass, ABackwardInsideOfAGradReachesItsOwnLeaves) {
  const Tensor x = leaf({1});
  const Tensor w = leaf({3});
  const Tensor q = w * x;
  const Tensor y = q * 2;
  y.register_hook([&](const Tensor&) {
    q.backward({}, true);
    return Tensor();
  });
  EXPECT_EQ(grad({y}, {x}, {}, {.retain_graph = true})[0].item(), 6);
  EXPECT_EQ(w.grad().item(), 1);
}

TEST(NestedPass, AGradIsNotGivenWithoutWhatACheckpointHides) {
  const Tensor x = leaf({2});
  const Tensor w = leaf({3});
  const Tensor h = w * 1;
  const Tensor y = checkpoint([w](const Tensors& in) { return in[0] * w; }, {x});
  EXPECT_TRUE(has(error_of([&] { grad({(y * 2).sum() + h.sum()}, {w}); }), {"checkpoint: ", "backward()"}));
}

TEST(Pass, AGradientThatFitsNoLongerIsAnErrorThatNamesTheOp) {
  nn::Linear layer(32, 32);
  layer(Tensor::ones({1, 32})).sum().backward();
  const Tensor loss = (layer.weight * 2.0).sum();
  layer.to(DType::float64);
  EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"backward: 'affine'", "float32", "float64"}));
  const Tensor x = leaf({1, 2});
  const Tensor sum = (x + 1).sum();
  x.set_data(Tensor::ones({3}, DType::float64));
  EXPECT_TRUE(has(error_of([&] { sum.backward(); }), {"backward: 'affine'", "[2]", "[3]"}));
}

TEST(Pass, RecordedGradientsOfTwoLeavesAreNotOneTensor) {
  const Tensor a = leaf({1});
  const Tensor b = leaf({2});
  (a + b).square().sum().backward({}, false, true);
  const NoGradGuard guard;
  optim::clip_grad_norm_(Tensors{a, b}, 1);
  EXPECT_NEAR(a.grad().detach().item(), std::sqrt(0.5), 1e-5);
  EXPECT_NEAR(b.grad().detach().item(), std::sqrt(0.5), 1e-5);
  for (const Tensor& x : {a, b}) x.set_grad({});  // it is on the tape, which leads back to its leaf
}

TEST(Pass, ALeafsOwnGradientMayBeWhereThePassStarts) {
  const Tensor x = Tensor::linspace(0, 1, 130 * 130, DType::float64)
                       .reshape({130, 130})
                       .clone()
                       .detach()
                       .set_requires_grad(true);
  (x * x).sum().backward();
  const Tensor before = x.grad().clone();
  x.transpose(0, 1).backward(x.grad());
  EXPECT_TRUE(x.grad().equal(before + before.transpose(0, 1)));
}

TEST(Pass, MemoryFromOutsideIsNeverKeptAsAGradient) {
  Values scratch(2);
  const Tensor x = leaf({1, 2});
  for (int i = 0; i < 2; ++i) {
    const NoGradGuard guard;
    const Tensor value = x * 2;
    const GradModeGuard record(true);
    custom_function("outside", value, {x},
                    [&](const Tensor&) {
                      scratch = {5, 5};
                      return Tensors{Tensor::borrow(scratch.data(), {2}, DType::float64)};
                    })
        .sum()
        .backward();
  }
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{10, 10}));
  EXPECT_EQ(scratch, (Values{5, 5}));
}

TEST(Pass, AHookMayRemoveItselfAndAddOthers) {
  const Tensor x = leaf({1});
  int calls = 0;
  std::size_t own = 0;
  own = x.register_hook([&](const Tensor&) {
    ++calls;
    x.remove_hook(own);
    for (int i = 0; i < 20; ++i) x.register_hook([&](const Tensor&) { return ++calls, Tensor(); });
    return Tensor();
  });
  (x * 2).sum().backward();
  EXPECT_EQ(calls, 1);
  (x * 2).sum().backward();
  EXPECT_EQ(calls, 21);
}

TEST(Functional, DifferentiatesByEachInputOnItsOwnWithCreateGraph) {
  const Tensor x = leaf({3});
  const auto f = [](const Tensors& in) { return (in[0] * in[0] * in[1]).sum(); };
  for (const bool create_graph : {false, true}) {
    const Tensors j = jacobian(f, {x, x}, create_graph);
    EXPECT_EQ(j[0].detach().item(), 18);
    EXPECT_EQ(j[1].detach().item(), 9);
  }
}

TEST(StaleTensor, FromAnotherThreadIsNoticedToo) {
  for (int offset = 0; offset < 50; ++offset) {
    Tensor other;
    std::thread([&] {
      for (int i = 0; i < offset; ++i) Tensor::ones({1});
      other = Tensor::ones({1}, DType::float64);
    }).join();
    const Tensor x = leaf({2});
    const Tensor loss = (x * other).sum();
    other.fill_(100);
    EXPECT_TRUE(has(error_of([&] { loss.backward(); }), {"written in place"}));
  }
}

TEST(Halves, GoBackThroughViewsAndReductions) {
  for (const DType half : {DType::float16, DType::bfloat16}) {
    Tensor x = Tensor::ones({4, 3}, half);
    x.set_requires_grad(true);
    (x.narrow(0, 1, 2).sum() + x.select(1, 0).mean() + x.expand({2, 4, 3}).sum() + x.repeat({2, 1}).sum())
        .backward();
    EXPECT_EQ(x.grad().dtype(), half);
    EXPECT_EQ(x.grad().to(DType::float32).to_vector<float>(),
              (std::vector<float>{4.25F, 4, 4, 5.25F, 5, 5, 5.25F, 5, 5, 4.25F, 4, 4}));
  }
}

}  // namespace
}  // namespace feral::autograd
