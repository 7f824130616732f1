// Hooks on gradients, and gradients kept for tensors that are no leaves.
#include <gtest/gtest.h>

#include "autograd/grad.hpp"
#include "tensor/allocator.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;
using support::leaf;
using Values = std::vector<double>;

TEST(Hook, OnAResultSeesItsWholeGradientAndMayReplaceIt) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3;
  Values seen;
  y.register_hook([&](const Tensor& gradient) {
    seen.push_back(gradient.item());
    return gradient * 10;
  });
  (y * y + y).sum().backward();
  EXPECT_EQ(seen, (Values{13}));
  EXPECT_EQ(x.grad().item(), 390);
}

TEST(Hook, OnALeafSeesOncePassWhatThatPassBrings) {
  const Tensor x = leaf({2});
  Values seen;
  const std::size_t number = x.register_hook([&](const Tensor& gradient) {
    seen.push_back(gradient.item());
    return Tensor();
  });
  (x * x + x * 3).sum().backward();
  EXPECT_EQ(x.grad().item(), 7);
  (x * 5).sum().backward();
  EXPECT_EQ(x.grad().item(), 12);
  EXPECT_EQ(seen, (Values{7, 5}));
  x.remove_hook(number);
  (x * 5).sum().backward();
  EXPECT_EQ(seen.size(), 2U);
}

TEST(Hook, SeveralGoInOrderOfTheirRegistration) {
  const Tensor x = leaf({1});
  x.register_hook([](const Tensor& gradient) { return gradient + 1; });
  const std::size_t second = x.register_hook([](const Tensor& gradient) { return gradient * 10; });
  x.sum().backward();
  EXPECT_EQ(x.grad().item(), 20);
  x.remove_hook(second);
  x.set_grad({});
  x.sum().backward();
  EXPECT_EQ(x.grad().item(), 2);
}

TEST(Hook, IsHeardByGradAsWell) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3;
  y.register_hook([](const Tensor& gradient) { return gradient * 2; });
  x.register_hook([](const Tensor& gradient) { return gradient + 1; });
  EXPECT_EQ(autograd::grad({y.sum()}, {x})[0].item(), 7);
}

TEST(Hook, AnswersOfAnotherShapeAreRefused) {
  const Tensor x = leaf({2, 3});
  x.register_hook([](const Tensor& gradient) { return gradient.sum(); });
  EXPECT_TRUE(has(error_of([&] { (x * 2).sum().backward(); }), {"backward: a hook answered", "[]", "[2]"}));
  EXPECT_TRUE(has(error_of([] { Tensor::ones({1}).register_hook([](const Tensor& g) { return g; }); }),
                  {"register_hook: ", "requires no gradient"}));
}

TEST(Hook, AnExceptionLeavesTheEngineUsable) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3;
  y.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("no"); });
  EXPECT_THROW(y.sum().backward(), std::runtime_error);
  (x * 4).sum().backward();
  EXPECT_EQ(x.grad().item(), 4);
}

TEST(RetainGrad, KeepsTheGradientOfAResult) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3;
  y.retain_grad();
  (y * y).sum().backward();
  EXPECT_EQ(y.grad().item(), 12);
  EXPECT_EQ(x.grad().item(), 36);
  {
    Tensor gone = x * 2;
    gone.retain_grad();
    const Tensor next = gone * 5;
    gone = {};
    next.sum().backward();  // nobody is left to keep it for
  }
  EXPECT_EQ(x.grad().item(), 46);
}

TEST(RetainGrad, LeaksNothing) {
  const auto run = [] {
    const Tensor x = leaf({2});
    const Tensor y = x * 3;
    y.retain_grad();
    y.register_hook([](const Tensor& gradient) { return gradient * 2; });
    x.register_hook([](const Tensor& gradient) { return gradient * 2; });
    y.sum().backward();
  };
  run();
  const std::int64_t before = allocator_statistics().live_bytes;
  run();
  EXPECT_EQ(allocator_statistics().live_bytes, before);
}

}  // namespace
}  // namespace feral
