// Optimizer state that several workers share: what is equal to what, and what a kill leaves behind.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "feral.hpp"
#include "optim/rule.hpp"
#include "shm/owner_lock.hpp"
#include "tensor/racy.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using testing_support::Numbers;

constexpr std::int64_t elements = 203;

constexpr Rule all_rules[] = {Rule::sgd,     Rule::adam,     Rule::adamw,   Rule::adamax, Rule::nadam, Rule::radam,
                              Rule::adagrad, Rule::adadelta, Rule::rmsprop, Rule::rprop,  Rule::asgd};

std::unique_ptr<Optimizer> made(Rule rule, const Tensor& parameter) {
  RuleOptions options = default_options(rule);
  options.momentum = 0.5;
  return make_optimizer(rule, {parameter}, options);
}

TEST(SharedState, OfOneWorkerEqualsThePrivateFormToTheBit) {
  for (const Rule rule : all_rules) {
    const Tensor x = Tensor::linspace(-1, 1, elements);
    const Tensor y = Tensor::linspace(-1, 1, elements);
    const auto own = made(rule, x);
    const auto shared = made(rule, y);
    const support::SharedMemory memory(shared->state_bytes());
    shared->initialize_state(memory.bytes());
    shared->bind_state(memory.bytes());
    for (int step = 0; step < 50; ++step) {
      Numbers numbers(static_cast<std::uint64_t>(step));
      x.set_grad(numbers.tensor<float>({elements}));
      y.set_grad(x.grad());
      own->step();
      shared->step();
    }
    EXPECT_EQ(x.to_vector<float>(), y.to_vector<float>()) << name_of(rule);
    const auto states = own->named_state();
    const auto shared_states = shared->named_state();
    for (std::size_t i = 0; i < states.size(); ++i) {
      EXPECT_EQ(states[i].tensor.to_vector<double>(), shared_states[i].tensor.to_vector<double>())
          << states[i].name;
    }
  }
}

// What a race can leave: a first moment beside a second one that does not know of its gradients. The private form
// divides by eps alone; the shared one makes a step of the size of others.
TEST(SharedState, AMixtureOfTwoWorkersMomentsMakesNoLargeStep) {
  for (const Rule rule : {Rule::adam, Rule::adamw, Rule::nadam, Rule::adamax}) {
    const auto moved = [&](bool shared) {
      const Tensor x = Tensor::zeros({elements});
      x.set_grad(Tensor::full({elements}, 1e-6));
      const auto optimizer = made(rule, x);
      const support::SharedMemory memory(optimizer->state_bytes());
      if (shared) optimizer->bind_state(memory.bytes());
      for (const NamedState& state : optimizer->named_state()) {
        if (state.name == "0.exp_avg") state.tensor.fill_(0.1);
      }
      optimizer->step();
      double largest = 0;
      for (const double value : x.to_vector<double>()) largest = std::max(largest, std::abs(value));
      return largest / optimizer->lr();
    };
    EXPECT_GT(moved(false), 1000) << name_of(rule);
    EXPECT_LT(moved(true), 30) << name_of(rule);
    EXPECT_GT(moved(true), 0) << name_of(rule);
  }
}

// --- locked: the updates of several workers equal those of one that makes them one after the other

constexpr int updates_each = 300;

constexpr int parts = 3;    // parameters
constexpr int stripes = 7;  // some without a parameter

// One update of a parameter as it was made: whose it was, and the gradient that this worker had computed.
struct Update {
  int worker;
  float gradient[elements];
};

// What two workers share: parameters, locks, and under the locks the updates of each parameter in their order.
struct Shared {
  struct alignas(64) Part {
    float parameter[elements];
    std::atomic<int> count;  // written under the lock
    Update updates[2 * updates_each];
  };
  Part parts[feral::optim::parts];
  shm::OwnerLock stripes[feral::optim::stripes];
  std::atomic<int> arrived;
};

std::vector<Tensor> parameters_of(Shared& shared) {
  std::vector<Tensor> parameters;
  for (Shared::Part& part : shared.parts) {
    parameters.push_back(Tensor::borrow(part.parameter, {elements}, DType::float32));
  }
  return parameters;
}

// Adam that writes down what it does, under the locks that step() holds.
class RecordingAdam : public Adam {
 public:
  RecordingAdam(Shared& shared, int worker)
      : Adam(parameters_of(shared), {.lr = 0.01}), shared_(shared), worker_(worker) {}

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override {
    for (Shared::Part& part : shared_.parts) {
      if (operands.parameter != static_cast<void*>(part.parameter)) continue;
      const int number = part.count.load(std::memory_order_relaxed);
      part.updates[number].worker = worker_;
      std::memcpy(part.updates[number].gradient, operands.gradient, sizeof part.updates[number].gradient);
      part.count.store(number + 1, std::memory_order_relaxed);
    }
    Adam::update(group, count, operands);
  }

 private:
  Shared& shared_;
  int worker_;
};

void work(Shared& shared, std::span<std::byte> state, std::uint16_t index) {
  RecordingAdam optimizer(shared, index);
  optimizer.bind_state(state);
  optimizer.set_lock(shared.stripes, {index, 0});
  Numbers numbers(index);
  // Both begin together, so that they do meet.
  shared.arrived.fetch_add(1);
  while (shared.arrived.load() < 2) ::sched_yield();
  for (int i = 0; i < updates_each; ++i) {
    // The reads race on purpose, as a forward pass does: the gradient is of some mixture of updates.
    for (const Tensor& parameter : optimizer.parameters()) {
      const Tensor gradient = Tensor::empty({elements});
      for (std::int64_t e = 0; e < elements; ++e) {
        gradient.data<float>()[e] = racy_load(parameter.data<float>() + e) - static_cast<float>(numbers.next());
      }
      parameter.set_grad(gradient);
    }
    optimizer.step();
  }
}

void expect_serial(const Shared& shared, std::span<const std::byte> state) {
  std::vector<Tensor> parameters;
  for (const Shared::Part& part : shared.parts) {
    ASSERT_EQ(part.count.load(), 2 * updates_each);
    parameters.push_back(Tensor::zeros({elements}));
  }
  Adam optimizer(parameters, {.lr = 0.01});
  for (int i = 0; i < 2 * updates_each; ++i) {
    for (int p = 0; p < parts; ++p) {
      const Update& update = shared.parts[p].updates[i];
      ASSERT_EQ(update.worker, shared.parts[0].updates[i].worker) << "update " << i << " was overtaken";
      parameters[static_cast<std::size_t>(p)].set_grad(
          Tensor::from_vector(std::vector<float>(update.gradient, update.gradient + elements), {elements}));
    }
    optimizer.step();
  }
  for (int p = 0; p < parts; ++p) {
    const Shared::Part& part = shared.parts[p];
    EXPECT_EQ(
        std::memcmp(parameters[static_cast<std::size_t>(p)].raw_data(), part.parameter, sizeof part.parameter), 0);
  }
  const std::byte* own = optimizer.named_state()[0].tensor.raw_data();
  EXPECT_EQ(std::memcmp(own, state.data(), state.size()), 0);
}

std::size_t state_bytes() {
  std::vector<Tensor> parameters;
  for (int p = 0; p < parts; ++p) parameters.push_back(Tensor::zeros({elements}));
  return Adam(parameters).state_bytes();
}

TEST(SharedState, TwoLockedThreadsEqualASerialOrderToTheBit) {
  const auto shared = std::make_unique<Shared>();
  const Tensor memory = Tensor::zeros({static_cast<std::int64_t>(state_bytes())}, DType::uint8);
  const std::span<std::byte> state(memory.raw_data(), state_bytes());
  std::thread first([&] { work(*shared, state, 0); });
  std::thread second([&] { work(*shared, state, 1); });
  first.join();
  second.join();
  expect_serial(*shared, state);
}

#ifndef FERAL_RACY_ATOMICS
TEST(SharedState, TwoLockedProcessesEqualASerialOrderToTheBit) {
  const support::Shared<Shared> shared;
  const support::SharedMemory state(state_bytes());
  const auto worker = [&](std::uint16_t index) {
    return [&, index] {
      work(*shared, state.bytes(), index);
      return 0;
    };
  };
  support::Forked first(worker(0));
  support::Forked second(worker(1));
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  expect_serial(*shared, state.bytes());
}

// --- a process killed in the middle of its updates

constexpr int kills = 40;

struct Target {
  alignas(64) float parameter[4096];
  std::atomic<std::uint64_t> steps;
};

// The distance from all twos, which the updates drive at.
double distance(const float* parameter) {
  double sum = 0;
  for (int e = 0; e < 4096; ++e) sum += std::abs(parameter[e] - 2.0);
  return sum / 4096;
}

void one_step(Optimizer& optimizer, const Tensor& parameter, const Tensor& gradient, std::uint64_t number) {
  Numbers numbers(number);
  const float noise = static_cast<float>(numbers.next(-0.5, 0.5));
  for (std::int64_t e = 0; e < parameter.numel(); ++e) {
    gradient.data<float>()[e] = racy_load(parameter.data<float>() + e) - 2 + noise;
  }
  parameter.set_grad(gradient);
  optimizer.step();
}

// Processes that train and are killed at any instant of it, one after the other; whoever comes next goes on from
// what is there, and in the end this process does.
void expect_training_goes_on(Rule rule, double lr) {
  const support::Shared<Target> target;
  RuleOptions options = default_options(rule);
  options.lr = lr;
  options.momentum = 0.5;
  const auto parameter_of = [&] { return Tensor::borrow(target->parameter, {4096}, DType::float32); };
  const std::size_t bytes = make_optimizer(rule, {parameter_of()}, options)->state_bytes();
  const support::SharedMemory state(bytes);
  make_optimizer(rule, {parameter_of()}, options)->initialize_state(state.bytes());
  const auto train = [&](std::uint64_t until) {
    const Tensor parameter = parameter_of();
    const auto optimizer = make_optimizer(rule, {parameter}, options);
    optimizer->bind_state(state.bytes());
    const Tensor gradient = Tensor::empty({4096});
    for (std::uint64_t i = 0; i < until; ++i) {
      one_step(*optimizer, parameter, gradient, i);
      target->steps.fetch_add(1);
    }
    return 0;
  };
  for (int kill = 0; kill < kills; ++kill) {
    const std::uint64_t before = target->steps.load();
    support::Forked child([&] { return train(~std::uint64_t{0}); });
    // Not in step with the child: the kill lands anywhere.
    ASSERT_TRUE(
        support::eventually([&] { return target->steps.load() >= before + 1 + static_cast<unsigned>(kill % 3); }));
    child.kill();
    for (const float value : target->parameter) ASSERT_TRUE(std::isfinite(value)) << name_of(rule);
    for (const float value : target->parameter) ASSERT_LT(std::abs(value), 100) << name_of(rule);
  }
  const auto* counted = reinterpret_cast<const std::uint64_t*>(state.bytes().data());
  EXPECT_GE(*counted, target->steps.load()) << "a count is never behind what was done";
  EXPECT_LE(*counted, target->steps.load() + kills) << "a killed step counts at most once";
  train(1500);
  EXPECT_LT(distance(target->parameter), 0.5) << name_of(rule);
}

TEST(SharedState, AKilledProcessLeavesAStateThatTrainingGoesOnFrom) {
  expect_training_goes_on(Rule::adam, 0.01);
  expect_training_goes_on(Rule::sgd, 0.01);
  expect_training_goes_on(Rule::rmsprop, 0.005);
  expect_training_goes_on(Rule::adagrad, 0.5);
}
#endif

}  // namespace
}  // namespace feral::optim
