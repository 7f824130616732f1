// Tensor::backward: what arrives where, in which order, and what is left afterwards.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "autograd/grad_mode.hpp"
#include "autograd/op.hpp"
#include "autograd/ops/check.hpp"
#include "tensor/allocator.hpp"
#include "tests/autograd/leaf.hpp"
#include "tests/tensor/operands.hpp"

namespace feral {
namespace {

using support::leaf;
using testing_support::contains;
using testing_support::error_of;

using Values = std::vector<double>;

Values grad_of(const Tensor& tensor) { return tensor.grad().to_vector<double>(); }

TEST(Engine, AddsUpTheGradientsOfAllUses) {
  const Tensor x = leaf({2, 3});
  (x * x + x * 5.0 + x).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{10, 12}));
}

TEST(Engine, GoesThroughADiamondOnce) {
  const Tensor x = leaf({2});
  const Tensor top = x * 3.0;
  const Tensor left = top * top;
  const Tensor right = top.exp().log();
  (left + right).sum().backward();
  EXPECT_NEAR(grad_of(x)[0], 3 * (2 * 6 + 1), 1e-12);
}

TEST(Engine, WaitsForTheLongerBranch) {
  // The short branch reaches `shared` long before the long one: it must not be passed on twice.
  const Tensor x = leaf({1});
  const Tensor shared = x * 2.0;
  Tensor longer = shared;
  for (int i = 0; i < 50; ++i) longer = longer + 1.0;
  (shared + longer).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{4}));
}

TEST(Engine, RepeatedDoublingStaysLinearInTime) {
  // 2^60 paths: anything but one visit a node never ends.
  const Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < 60; ++i) y = y + y;
  y.sum().backward();
  EXPECT_EQ(grad_of(x), (Values{0x1.0p60}));
}

TEST(Engine, AccumulatesAcrossCalls) {
  const Tensor x = leaf({1, 2});
  (x * 3.0).sum().backward();
  (x * x).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{5, 7}));
  x.set_grad({});
  EXPECT_FALSE(x.grad().defined());
  (x * x).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{2, 4}));
}

TEST(Engine, LeavesDoNotShareTheMemoryOfTheirGradients) {
  const Tensor a = leaf({1, 2});
  const Tensor b = leaf({3, 4});
  const Tensor start = Tensor::from_vector<double>({1, 10}, {2});
  (a + b).backward(start);
  (a * 5.0).sum().backward();
  EXPECT_EQ(grad_of(a), (Values{6, 15}));
  EXPECT_EQ(grad_of(b), (Values{1, 10}));
  EXPECT_EQ(start.to_vector<double>(), (Values{1, 10}));
}

TEST(Engine, LeavesDoNotShareTheMemoryOfRecordedGradientsEither) {
  const Tensor a = leaf({1, 2});
  const Tensor b = leaf({3, 4});
  const Tensor start = Tensor::from_vector<double>({1, 10}, {2});
  (a + b).backward(start, false, true);
  (a + b).backward(start);
  EXPECT_EQ(grad_of(a), (Values{2, 20}));
  EXPECT_EQ(grad_of(b), (Values{2, 20}));
  EXPECT_EQ(start.to_vector<double>(), (Values{1, 10}));
}

TEST(Engine, GradientsOfLeavesAreContiguousEvenWhenRecorded) {
  for (const bool create_graph : {false, true}) {
    const Tensor x = leaf({1, 2, 3, 4, 5, 6});
    x.sum().backward({}, false, create_graph);
    EXPECT_TRUE(x.grad().is_contiguous()) << create_graph;
    EXPECT_EQ(grad_of(x), Values(6, 1));
  }
}

TEST(Engine, ASecondBackwardNamesTheOpWhoseTapeIsGone) {
  const Tensor x = leaf({1, 2});
  const Tensor y = x.exp();
  y.sum().backward();
  const std::string message = error_of([&] { y.sum().backward(); });
  for (const char* part : {"backward", "'exp'", "retain_graph"}) EXPECT_TRUE(contains(message, part)) << message;
  EXPECT_EQ(grad_of(x), x.detach().exp().to_vector<double>());
}

TEST(Engine, RetainGraphAllowsASecondBackward) {
  const Tensor x = leaf({3});
  const Tensor y = (x * x).sum();
  y.backward({}, true);
  y.backward({}, true);
  y.backward();
  EXPECT_EQ(grad_of(x), (Values{18}));
  EXPECT_NE(error_of([&] { y.backward(); }), "");
}

TEST(Engine, TheTapeLetsGoOfWhatItSaved) {
  // exp keeps its result, mul its inputs.
  const Tensor x = leaf({1, 2});
  const Tensor e = x.exp();
  const Tensor y = (e * e).sum();
  const auto memory_references = [&] { return e.impl()->storage->references; };
  const auto handle_references = [&] { return e.impl()->references; };
  EXPECT_EQ(memory_references(), 2U);
  EXPECT_EQ(handle_references(), 3U);
  y.backward({}, true);
  EXPECT_EQ(memory_references(), 2U);
  y.backward();
  EXPECT_EQ(memory_references(), 1U);
  EXPECT_EQ(handle_references(), 1U);
}

TEST(Engine, CreateGraphRecordsTheGradient) {
  const Tensor x = leaf({2});
  (x * x * x).sum().backward({}, false, true);
  const Tensor first = x.grad();
  EXPECT_TRUE(first.requires_grad());
  EXPECT_EQ(first.to_vector<double>(), (Values{12}));
  x.set_grad({});
  first.sum().backward({}, false, true);
  const Tensor second = x.grad();
  EXPECT_EQ(second.to_vector<double>(), (Values{12}));
  x.set_grad({});
  second.sum().backward();
  EXPECT_EQ(grad_of(x), (Values{6}));
}

TEST(Engine, WithoutCreateGraphTheGradientIsAPlainTensor) {
  const Tensor x = leaf({2});
  (x * x).sum().backward();
  EXPECT_FALSE(x.grad().requires_grad());
}

TEST(Engine, DetachCutsTheTapeAndSharesTheMemory) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3.0;
  EXPECT_FALSE(y.detach().requires_grad());
  EXPECT_EQ(y.detach().raw_data(), y.raw_data());
  (y.detach() * x).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{6}));
}

TEST(Engine, OnlyInputsThatRequireOneGetAGradient) {
  const Tensor x = leaf({2});
  const Tensor constant = Tensor::from_vector<double>({5}, {1});
  (x * constant).sum().backward();
  EXPECT_EQ(grad_of(x), (Values{5}));
  EXPECT_FALSE(constant.grad().defined());
}

TEST(Engine, ALeafMayBeItsOwnRoot) {
  const Tensor x = leaf({2});
  x.backward();
  x.backward(Tensor::from_vector<double>({4}, {1}));
  EXPECT_EQ(grad_of(x), (Values{5}));
}

TEST(Engine, RefusesWhatHasNoGradient) {
  const std::string message = error_of([] { Tensor::ones({2, 3}).backward(); });
  for (const char* part : {"backward", "[2, 3]"}) EXPECT_TRUE(contains(message, part)) << message;
}

TEST(Engine, NeedsAGradientToStartFromUnlessThereIsOneElement) {
  const Tensor x = leaf({1, 2, 3});
  const Tensor y = x * 2.0;
  EXPECT_TRUE(contains(error_of([&] { y.backward(); }), "[3]"));
  for (const Tensor& wrong : {Tensor::ones({2}, DType::float64), Tensor::ones({3}, DType::float32)}) {
    const std::string message = error_of([&] { y.backward(wrong); });
    EXPECT_TRUE(contains(message, wrong.to_string())) << message;
    EXPECT_TRUE(contains(message, y.to_string())) << message;
  }
  y.backward(Tensor::from_vector<double>({1, 10, 100}, {3}));
  EXPECT_EQ(grad_of(x), (Values{2, 20, 200}));
}

TEST(Engine, AStartingGradientMayBeAView) {
  const Tensor x = leaf({1, 2, 3});
  (x * 2.0).backward(Tensor::ones({1}, DType::float64).expand({3}));
  EXPECT_EQ(grad_of(x), (Values{2, 2, 2}));
}

TEST(Engine, SetGradRefusesAnotherShapeOrType) {
  const Tensor x = leaf({1, 2, 3});
  for (const Tensor& wrong : {Tensor::ones({2}, DType::float64), Tensor::ones({3}, DType::float32)}) {
    const std::string message = error_of([&] { x.set_grad(wrong); });
    for (const std::string& part : {std::string("set_grad"), wrong.to_string(), x.to_string()}) {
      EXPECT_TRUE(contains(message, part)) << message;
    }
  }
  EXPECT_FALSE(x.grad().defined());
}

TEST(Engine, AChainOf100000NodesNeitherOverflowsNorLeaks) {
  constexpr int length = 100'000;
  const Tensor x = leaf({1});
  const auto run = [&](bool backward) {
    x.set_grad({});
    Tensor y = x;
    for (int i = 0; i < length; ++i) y = y + 1.0;
    if (backward) y.sum().backward();
  };
  run(true);
  EXPECT_EQ(grad_of(x), (Values{1}));
  run(false);
  const AllocatorStatistics before = allocator_statistics();
  const std::uint32_t references = x.impl()->references;
  run(true);
  run(false);
  // All that the chains took has come back, and served the next one.
  EXPECT_EQ(allocator_statistics().heap_allocations, before.heap_allocations);
  EXPECT_GE(allocator_statistics().requests, before.requests + 2 * length);
  EXPECT_EQ(x.impl()->references, references);
}

// Throws on its way back, once told to.
struct Failing {
  static constexpr std::string_view name = "test_failing";
  static constexpr int arity = 1;
  struct Attributes {
    const bool* fails = nullptr;
  };
  static Result infer(const Attributes&, const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }
  static void run(const Attributes&, const Tensor& out, Aux<Failing>&, const Tensor& x) { out.copy_(x.detach()); }
  static Gradients<1> gradient(const Saved<Failing>& saved, const Tensor& gradient) {
    if (*saved.attributes().fails) fail("test_failing: told to");
    return {gradient};
  }
};

TEST(Engine, AnExceptionInAGradientLeavesTheEngineUsable) {
  bool fails = true;
  const Tensor x = leaf({1, 2});
  const Tensor other = leaf({5, 6});
  // `pending` waits in the queue with its gradient when the other branch throws.
  const Tensor pending = other * 2.0;
  const Tensor y = (apply<Failing>({.fails = &fails}, x * 3.0) + pending).sum();
  EXPECT_TRUE(contains(error_of([&] { y.backward({}, true); }), "told to"));
  EXPECT_FALSE(x.grad().defined());
  fails = false;
  other.set_grad({});
  y.backward();
  EXPECT_EQ(grad_of(x), (Values{3, 3}));
  EXPECT_EQ(grad_of(other), (Values{2, 2})) << "what the failed call had added up was still there";
  const Tensor z = leaf({4});
  (z * z).sum().backward();
  EXPECT_EQ(grad_of(z), (Values{8}));
}

TEST(Engine, EveryThreadHasItsOwnTape) {
  std::vector<Values> gradients(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    threads.emplace_back([&gradients, t] {
      const Tensor x = leaf({static_cast<double>(t)});
      for (int i = 0; i < 200; ++i) {
        x.set_grad({});
        (x * x * 1.5).sum().backward();
      }
      gradients[t] = grad_of(x);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < gradients.size(); ++t)
    EXPECT_EQ(gradients[t], (Values{3.0 * static_cast<double>(t)}));
}

// x², whose gradient is found by a backward of its own: what checkpointing does.
struct Recomputed {
  static constexpr std::string_view name = "test_recomputed";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }
  static void run(const Attributes&, const Tensor& out, Aux<Recomputed>&, const Tensor& x) {
    const NoGradGuard no_grad;
    out.copy_(x * x);
  }
  static Gradients<1> gradient(const Saved<Recomputed>& saved, const Tensor& gradient) {
    Tensor inner = saved.input(0).detach();
    inner.set_requires_grad(true);
    {
      const GradModeGuard recording(true);
      inner.square().backward(gradient);
    }
    return {inner.grad()};
  }
};

TEST(Engine, ABackwardWithinAGradientLeavesTheOuterOneAlone) {
  Tensor x = Tensor::full({3}, 2, DType::float64);
  x.set_requires_grad(true);
  const Tensor h = x * 3.0;
  (h.sin() + apply<Recomputed>({}, h)).sum().backward();
  for (const double g : x.grad().to_vector<double>()) EXPECT_NEAR(g, 3 * (std::cos(6.0) + 12), 1e-12);
}

}  // namespace
}  // namespace feral
