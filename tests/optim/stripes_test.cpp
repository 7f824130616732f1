// The stripes that a step goes through under Policy::locked (Optimizer::set_lock).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <set>
#include <thread>

#include "optim/adagrad.hpp"
#include "optim/lbfgs.hpp"
#include "optim/sgd.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"

namespace feral::optim {
namespace {

constexpr shm::Owner first{.index = 0, .generation = 0};
constexpr shm::Owner second{.index = 1, .generation = 0};

using Stripes = std::array<shm::OwnerLock, 4>;

// Which of them somebody else holds.
std::string held(Stripes& stripes) {
  std::string result;
  for (shm::OwnerLock& stripe : stripes) {
    const bool free = stripe.try_lock(second);
    if (free) stripe.unlock(second);
    result += free ? '.' : 'x';
  }
  return result;
}

// SGD that tells of each update, in the middle of the step.
struct TellingSGD : SGD {
  TellingSGD(std::vector<Tensor> parameters, std::function<void(const Operands&)> tell)
      : SGD(std::move(parameters), {.lr = 1}), tell_(std::move(tell)) {}
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override {
    tell_(operands);
    SGD::update(group, count, operands);
  }
  std::function<void(const Operands&)> tell_;
};

std::vector<Tensor> parameters(std::vector<std::int64_t> sizes) {
  std::vector<Tensor> result;
  for (const std::int64_t size : sizes) {
    result.push_back(Tensor::zeros({size}));
    result.back().set_grad(Tensor::ones({size}));
  }
  return result;
}

// Which stripes are held at each update.
std::vector<std::string> held_at_updates(const std::vector<Tensor>& parameters) {
  Stripes stripes;
  std::vector<std::string> result;
  TellingSGD optimizer(parameters, [&](const Operands&) { result.push_back(held(stripes)); });
  optimizer.set_lock(stripes, first);
  optimizer.step();
  EXPECT_EQ(held(stripes), "....") << "all are free after the step";
  return result;
}

TEST(Stripes, ParametersAreSpreadOverThemByElements) {
  using Held = std::vector<std::string>;
  EXPECT_EQ(held_at_updates(parameters({5, 5, 5, 5})), (Held{"x...", ".x..", "..x.", "...x"}));
  EXPECT_EQ(held_at_updates(parameters({1, 1, 1, 1, 1, 1, 1, 1})),
            (Held{"x...", "x...", ".x..", ".x..", "..x.", "..x.", "...x", "...x"}));
  EXPECT_EQ(held_at_updates(parameters({15, 5})), (Held{"x...", "...x"}));
  EXPECT_EQ(held_at_updates(parameters({20})), (Held{"x..."}));
  EXPECT_EQ(held_at_updates(parameters({4, 0, 0})), (Held{"x...", "...x", "...x"}))
      << "an empty one has no elements";
}

TEST(Stripes, AParameterWithoutAGradientIsGoneThroughToo) {
  const std::vector<Tensor> some = parameters({5, 5, 5, 5});
  some[1].set_grad({});
  Stripes stripes;
  ASSERT_TRUE(stripes[1].try_lock(second));
  std::atomic<int> updates{0};
  std::thread step([&] {
    TellingSGD optimizer(some, [&](const Operands&) { updates.fetch_add(1); });
    optimizer.set_lock(stripes, first);
    optimizer.step();
  });
  EXPECT_TRUE(support::eventually([&] { return updates.load() == 1; }));
  EXPECT_FALSE(support::eventually([&] { return updates.load() > 1; }, std::chrono::milliseconds(50)))
      << "it must not pass whoever is there";
  stripes[1].unlock(second);
  step.join();
  EXPECT_EQ(updates.load(), 3);
}

TEST(Stripes, ASecondStepBeginsBeforeTheFirstOneEnds) {
  const std::vector<Tensor> some = parameters({5, 5, 5, 5});
  Stripes stripes;
  std::atomic<bool> first_is_at_the_end{false};
  std::atomic<int> second_updates{0};
  int second_at_end_of_first = -1;
  std::thread one([&] {
    TellingSGD optimizer(some, [&](const Operands& operands) {
      if (operands.parameter != some[3].raw_data()) return;
      first_is_at_the_end.store(true);
      // The others' stripes are free; the last one is not.
      EXPECT_TRUE(support::eventually([&] { return second_updates.load() == 3; }));
      EXPECT_FALSE(support::eventually([&] { return second_updates.load() > 3; }, std::chrono::milliseconds(50)));
      second_at_end_of_first = second_updates.load();
    });
    optimizer.set_lock(stripes, first);
    optimizer.step();
  });
  ASSERT_TRUE(support::eventually([&] { return first_is_at_the_end.load(); }));
  // Gradients are a parameter's own: this worker has tensors of its own on the same memory.
  std::vector<Tensor> views;
  for (const Tensor& parameter : some) {
    views.push_back(Tensor::borrow(parameter.raw_data(), parameter.shape(), DType::float32));
    views.back().set_grad(Tensor::ones(parameter.shape()));
  }
  TellingSGD optimizer(views, [&](const Operands&) { second_updates.fetch_add(1); });
  optimizer.set_lock(stripes, second);
  optimizer.step();
  one.join();
  EXPECT_EQ(second_at_end_of_first, 3);
  for (const Tensor& parameter : some) EXPECT_EQ(parameter.to_vector<float>(), std::vector<float>(5, -2.0F));
}

TEST(Stripes, AStepOfSomeRowsGoesThroughThemToItsParameter) {
  const Tensor before = Tensor::zeros({6, 2});
  const Tensor table = Tensor::zeros({6, 2});
  Stripes stripes;
  Adagrad optimizer({before, table}, {.lr = 1});
  optimizer.set_lock(stripes, first);
  ASSERT_TRUE(stripes[1].try_lock(second));
  std::atomic<bool> done{false};
  std::thread step([&] {
    optimizer.step_rows(table, Tensor::from_vector<std::int64_t>({4}, {1}), Tensor::ones({1, 2}));
    done.store(true);
  });
  EXPECT_FALSE(support::eventually([&] { return done.load(); }, std::chrono::milliseconds(50)));
  stripes[1].unlock(second);
  step.join();
  EXPECT_EQ(held(stripes), "....");
  EXPECT_LT(table.to_vector<float>()[8], 0);
}

TEST(Stripes, LBFGSHoldsAllOfThemForAWholeStep) {
  const Tensor x = Tensor::ones({8});
  Stripes stripes;
  LBFGS optimizer({x});
  optimizer.set_lock(stripes, first);
  const Tensor target = Tensor::linspace(0, 1, 8);
  optimizer.step([&] {
    EXPECT_EQ(held(stripes), "xxxx");
    x.set_grad((x.detach() - target) * 2);
    return ((x.detach() - target) * (x.detach() - target)).sum();
  });
  EXPECT_EQ(held(stripes), "....");
}

#ifdef FERAL_TEST_CAN_STEP

struct Target {
  alignas(64) float values[3][8];
  Stripes stripes;
  std::atomic<int> steps;
};

void step_target(Target& target, shm::Owner owner) {
  std::vector<Tensor> some;
  for (auto& values : target.values) {
    some.push_back(Tensor::borrow(values, {8}, DType::float32));
    some.back().set_grad(Tensor::ones({8}));
  }
  SGD optimizer(some, {.lr = 1});
  optimizer.set_lock(target.stripes, owner);
  optimizer.step();
  target.steps.fetch_add(1);
}

// What a step leaves that is killed between any two instructions, with stripes held or not: it holds up nobody once
// the launcher has freed them, and they are at most two, neighbours.
TEST(Stripes, OfAStepKilledAtAnyInstructionAreFreed) {
  if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  const support::Shared<Target> live;
  const support::Shared<Target> left;
  const support::Shared<Target> seen;
  const auto copy = [](const support::Shared<Target>& from, const support::Shared<Target>& to) {
    std::memcpy(static_cast<void*>(&*to), static_cast<const void*>(&*from), sizeof(Target));
  };
  support::Stepped process([&] {
    step_target(*live, first);
    return 0;
  });
  std::set<std::string> ways;
  while (process.step_anything()) {
    if (std::memcmp(static_cast<const void*>(&*live), static_cast<const void*>(&*seen), sizeof(Target)) == 0)
      continue;
    copy(live, seen);
    copy(live, left);
    const std::string by_dead = held(left->stripes);
    ways.insert(by_dead);
    ASSERT_LE(std::ranges::count(by_dead, 'x'), 2) << by_dead;
    for (shm::OwnerLock& stripe : left->stripes) stripe.release_dead(first);
    const int steps = left->steps.load();
    step_target(*left, second);
    ASSERT_EQ(left->steps.load(), steps + 1);
    ASSERT_EQ(held(left->stripes), "....");
  }
  EXPECT_EQ(live->steps.load(), 1);
  EXPECT_EQ(ways, (std::set<std::string>{"....", "x...", "xx..", ".x..", ".xx.", "..x."})) << "three parameters";
}

#endif

}  // namespace
}  // namespace feral::optim
