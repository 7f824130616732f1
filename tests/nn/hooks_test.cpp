// Hooks around a module's forward pass, and on its way back.
#include <gtest/gtest.h>

#include "nn/linear.hpp"

namespace feral::nn {
namespace {

struct Double : Module {
  Tensor forward(const Tensor& x) override { return x * 2; }
};

Tensor leaf(double value) { return Tensor::full({3}, value, DType::float64).set_requires_grad(true); }

TEST(ModuleHook, BeforeAndAfterMayReplaceWhatPasses) {
  Double module;
  const std::size_t before = module.register_forward_pre_hook([](Module&, const Tensor& x) { return x + 1; });
  double seen = 0;
  const std::size_t after = module.register_forward_hook([&](Module& self, const Tensor& in, const Tensor& out) {
    EXPECT_EQ(&self, &module);
    seen = in[0].item();
    return out * 10;
  });
  EXPECT_EQ(module(leaf(4))[0].item(), 100);
  EXPECT_EQ(seen, 5);
  module.remove_hook(before);
  EXPECT_EQ(module(leaf(4))[0].item(), 80);
  module.remove_hook(after);
  EXPECT_EQ(module(leaf(4))[0].item(), 8);
}

TEST(ModuleHook, ObserversLeaveThingsAsTheyAre) {
  Double module;
  int calls = 0;
  module.register_forward_pre_hook([&](Module&, const Tensor&) { return ++calls, Tensor(); });
  module.register_forward_hook([&](Module&, const Tensor&, const Tensor&) { return ++calls, Tensor(); });
  EXPECT_EQ(module(leaf(4))[0].item(), 8);
  EXPECT_EQ(calls, 2);
}

TEST(ModuleHook, OnTheWayBackSeesBothGradientsAndMayReplaceTheInputs) {
  Double module;
  double input = 0;
  double output = 0;
  const std::size_t number = module.register_backward_hook([&](Module&, const Tensor& in, const Tensor& out) {
    input = in[0].item();
    output = out[0].item();
    return in * 100;
  });
  const Tensor x = leaf(1);
  (module(x) * 3).sum().backward();
  EXPECT_EQ(input, 6);
  EXPECT_EQ(output, 3);
  EXPECT_EQ(x.grad()[0].item(), 600);
  module.remove_hook(number);
  x.set_grad({});
  (module(x) * 3).sum().backward();
  EXPECT_EQ(x.grad()[0].item(), 6);
}

TEST(ModuleHook, OnTheWayBackIsCalledForAnInputWithoutGradientToo) {
  Linear layer(3, 2);
  int calls = 0;
  layer.register_backward_hook([&](Module&, const Tensor& in, const Tensor& out) {
    EXPECT_FALSE(in.defined());
    EXPECT_EQ(out.shape().to_string(), "[4, 2]");
    ++calls;
    return Tensor();
  });
  layer(Tensor::ones({4, 3})).sum().backward();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(layer.weight.grad().defined());
}

TEST(ModuleHook, MayRemoveItselfWhileItRuns) {
  Double module;
  std::size_t own = 0;
  int calls = 0;
  own = module.register_forward_pre_hook([&](Module& self, const Tensor&) {
    ++calls;
    self.remove_hook(own);
    return Tensor();
  });
  module(leaf(1));
  module(leaf(1));
  EXPECT_EQ(calls, 1);
}

TEST(ModuleHook, OnTheWayBackIsSilentWhenItsModuleIsGone) {
  int calls = 0;
  const Tensor x = leaf(1);
  Tensor y;
  {
    Double module;
    module.register_backward_hook([&](Module&, const Tensor&, const Tensor&) { return ++calls, Tensor(); });
    y = module(x);
  }
  y.sum().backward();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(x.grad()[0].item(), 2);
}

}  // namespace
}  // namespace feral::nn
