// Checkpointing: the gradients of the plain computation, for less memory.
#include "autograd/checkpoint.hpp"

#include <gtest/gtest.h>

#include "autograd/grad.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/ops/dropout.hpp"
#include "tensor/allocator.hpp"
#include "tensor/generator.hpp"
#include "tests/support/messages.hpp"

namespace feral::autograd {
namespace {

using support::error_of;
using support::has;
using Tensors = std::vector<Tensor>;

Tensor leaf(const Shape& shape, double value) {
  return (Tensor::linspace(0, 1, shape.numel(), DType::float64).reshape(shape) + value)
      .detach()
      .set_requires_grad(true);
}

struct Net {
  Tensor w1 = leaf({5, 5}, 0.1);
  Tensor w2 = leaf({5, 5}, -0.3);
  Tensor part(const Tensor& x, const Tensor& w) const { return dropout(x.matmul(w).tanh(), 0.4, true); }
};

TEST(Checkpoint, GivesTheGradientsOfThePlainComputationDropoutIncluded) {
  Tensors plain;
  Tensors again;
  for (Tensors* into : {&plain, &again}) {
    const Net net;
    Tensor x = leaf({3, 5}, 0.2);
    manual_seed(7);
    Tensor h = x;
    for (const Tensor& w : {net.w1, net.w2}) {
      const auto part = [&net, w](const Tensors& in) { return net.part(in[0], w); };
      h = into == &plain ? part({h}) : checkpoint(part, {h});
    }
    const Tensor after = Tensor::rand({1});  // the generator stands where it would stand
    (h * h).sum().backward();
    *into = {h, net.w1.grad(), net.w2.grad(), x.grad(), after, Tensor::rand({1})};
  }
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(plain[i].equal(again[i])) << i;
}

TEST(Checkpoint, ReachesParametersBehindAnInputWithoutGradient) {
  const Net net;
  const Tensor x = Tensor::ones({3, 5}, DType::float64);
  checkpoint([&](const Tensors& in) { return in[0].matmul(net.w1); }, {x}).sum().backward();
  EXPECT_EQ(net.w1.grad().to_vector<double>(), std::vector<double>(25, 3));
}

TEST(Checkpoint, KeepsNoInnerResults) {
  const auto peak = [](bool checkpointed) {
    Tensor x = Tensor::ones({1000});
    x.set_requires_grad(true);
    const std::int64_t before = allocator_statistics().live_bytes;
    const auto part = [](const Tensors& in) {
      Tensor h = in[0];
      for (int i = 0; i < 10; ++i) h = h.sin();
      return h;
    };
    Tensor h = x;
    for (int i = 0; i < 10; ++i) h = checkpointed ? checkpoint(part, {h}) : part({h});
    return allocator_statistics().live_bytes - before;
  };
  EXPECT_LT(peak(true), peak(false) / 5);
}

TEST(Checkpoint, NestsAndFreesAll) {
  const auto run = [] {
    const Net net;
    const Tensor x = leaf({3, 5}, 0.2);
    const auto outer = [&](const Tensors& in) {
      const Tensor h = checkpoint([&](const Tensors& inner) { return inner[0].matmul(net.w1).tanh(); }, in);
      return h.matmul(net.w2);
    };
    checkpoint(outer, {x}).sum().backward();
    EXPECT_TRUE(net.w1.grad().defined() && net.w2.grad().defined() && x.grad().defined());
  };
  run();
  const std::int64_t before = allocator_statistics().live_bytes;
  run();
  EXPECT_EQ(allocator_statistics().live_bytes, before);
}

TEST(Checkpoint, WithoutGradientsJustCalls) {
  const NoGradGuard guard;
  const Tensor y = checkpoint([](const Tensors& in) { return in[0] * 2; }, {leaf({2}, 1)});
  EXPECT_FALSE(y.requires_grad());
}

TEST(Checkpoint, RefusesAFunctionThatAnswersOtherwiseTheSecondTime) {
  int calls = 0;
  const auto undefined = [&](const Tensors& in) { return ++calls == 1 ? in[0] * 2 : Tensor(); };
  const Tensor none = checkpoint(undefined, {leaf({3, 5}, 0.2)}).sum();
  EXPECT_TRUE(has(error_of([&] { none.backward(); }), {"checkpoint: ", "[3, 5] at first", "an undefined tensor"}));
  calls = 0;
  const auto smaller = [&](const Tensors& in) { return ++calls == 1 ? in[0] * 2 : in[0].narrow(0, 0, 2); };
  const Tensor less = checkpoint(smaller, {leaf({3, 5}, 0.2)}).sum();
  EXPECT_TRUE(has(error_of([&] { less.backward(); }), {"checkpoint: ", "[3, 5] at first", "[2, 5] the second"}));
}

TEST(Checkpoint, RefusesWhatWouldLoseGradients) {
  const Net net;
  const Tensor x = leaf({3, 5}, 0.2);
  const auto part = [&](const Tensors& in) { return net.part(in[0], net.w1); };
  EXPECT_TRUE(has(error_of([&] { grad({checkpoint(part, {x}).sum()}, {x}); }), {"checkpoint: ", "backward()"}));
  EXPECT_TRUE(has(error_of([&] { checkpoint(part, {x}).sum().backward({}, false, true); }),
                  {"checkpoint: ", "create_graph"}));
  const Tensor middle = x * 2;
  const Tensor out = checkpoint(part, {middle}).sum();
  middle.detach().add_(1);
  EXPECT_TRUE(has(error_of([&] { out.backward(); }), {"checkpoint: ", "input 0", "written in place"}));
}

}  // namespace
}  // namespace feral::autograd
