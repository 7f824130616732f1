#include "workers/rollback.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <optional>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/workers/gated_job.hpp"
#include "workers/job_gate.hpp"
#include "workers/parameter_guard.hpp"

namespace feral {
namespace {

using testing_support::GatedJob;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TrainOptions rolling_back() {
  TrainOptions options;
  options.on_nonfinite = OnNonfinite::rollback;
  options.nonfinite_limit = 2;
  return options;
}

// A worker with its optimizer and gate, state in the arena.
struct Worker {
  Worker(GatedJob& given, std::uint16_t index) : job(given), sgd(job.model.parameters(), GatedJob::sgd_options) {
    sgd.bind_state(job.arena().optimizer_state(index), optim::Optimizer::Sharing::one);
    job.arena().workers()[index].state_made.store(1);
    gate.emplace(job.arena(), shm::Owner{index, 0}, job.model, sgd);
  }
  void step(double gradient) {
    gate->begin(item++);
    job.set_gradients(gradient);
    sgd.step();
  }
  float momentum() { return sgd.named_state()[1].tensor.data<float>()[0]; }

  GatedJob& job;
  optim::SGD sgd;
  std::optional<JobGate> gate;
  std::uint64_t item = 0;
};

struct Guarded {
  explicit Guarded(const TrainOptions& options = rolling_back())
      : job(options),
        optimizer(job.model.parameters(), GatedJob::sgd_options),
        guard(job.arena(), nn::flat_layout(job.model), &optimizer) {}
  void poison() { job.model.parameters()[0].data<float>()[0] = static_cast<float>(nan); }
  std::uint64_t rollbacks() { return job.arena().rollback().done(); }

  GatedJob job;
  optim::SGD optimizer;
  ParameterGuard guard;
};

TEST(Rollback, TakesMemoryOnlyWhereItIsAskedFor) {
  GatedJob without{TrainOptions()};
  GatedJob with{rolling_back()};
  EXPECT_FALSE(without.arena().rollback().enabled());
  EXPECT_TRUE(with.arena().rollback().enabled());
  EXPECT_GE(with.arena().size_bytes() - without.arena().size_bytes(),
            3 * (with.arena().parameters().size() + with.arena().optimizer_states().size()));
}

TEST(Rollback, BringsBackParametersAndStateOfTheNewestGoodSnapshotEachOnce) {
  Guarded run;
  Worker worker(run.job, 0);
  const float initial = run.job.weight();
  worker.step(1);
  run.guard.look(0.5);
  const float good = run.job.weight();
  const float momentum = worker.momentum();
  worker.step(1);
  EXPECT_NE(run.job.weight(), good);

  run.poison();
  run.guard.look(0.5);
  EXPECT_TRUE(run.guard.serve());
  EXPECT_EQ(run.job.weight(), good);
  EXPECT_EQ(worker.momentum(), momentum);
  EXPECT_EQ(run.rollbacks(), 1U);
  EXPECT_FALSE(run.guard.serve()) << "once is enough";

  run.guard.look(nan);
  EXPECT_TRUE(run.guard.serve());
  EXPECT_EQ(run.job.weight(), initial) << "the one before: the newest did not help";
  EXPECT_EQ(worker.momentum(), 0) << "what a state begins with";

  run.guard.look(nan);
  EXPECT_FALSE(run.guard.serve());
  ASSERT_TRUE(run.job.arena().meters().trouble());
  EXPECT_EQ(run.job.arena().meters().trouble()->what, Trouble::snapshots);
  EXPECT_TRUE(run.job.arena().stopping());
}

TEST(Rollback, KeepsTheThreeNewestAndNoneAfterALossThatHasJumped) {
  Guarded run;
  Worker worker(run.job, 0);
  std::vector<float> weights;
  for (int i = 0; i < 5; ++i) {
    worker.step(1);
    weights.push_back(run.job.weight());
    run.guard.look(0.5);
  }
  worker.step(1);
  run.guard.look(5.0);  // finite, and no good place
  for (const std::size_t expected : {4, 3, 2}) {
    run.poison();
    run.guard.look(0.5);
    EXPECT_TRUE(run.guard.serve());
    EXPECT_EQ(run.job.weight(), weights[expected]);
  }
  run.guard.look(nan);
  EXPECT_FALSE(run.guard.serve());
}

TEST(Rollback, IsAskedForByAWorkerThatLeavesOutTooManySteps) {
  Guarded run;
  Worker worker(run.job, 0);
  worker.step(nan);
  EXPECT_FALSE(run.job.arena().rollback().wanted());
  worker.step(nan);
  EXPECT_TRUE(run.job.arena().rollback().wanted());
  EXPECT_FALSE(run.job.arena().stopping());
  EXPECT_TRUE(run.guard.serve());
}

TEST(Rollback, AStepThatBeganBeforeItIsLeftOut) {
  Guarded run;
  Worker worker(run.job, 0);
  worker.gate->begin(0);
  run.guard.look(nan);
  ASSERT_TRUE(run.guard.serve());
  const float before = run.job.weight();
  run.job.set_gradients(1);
  worker.sgd.step();
  EXPECT_EQ(run.job.weight(), before);
  EXPECT_EQ(run.job.meters(0).dropped_rollback.load(), 1U);
  worker.step(1);
  EXPECT_NE(run.job.weight(), before);
  EXPECT_EQ(run.job.meters(0).writing.load(), 0U);
}

TEST(Rollback, WorkersWaitUntilItIsDoneAndWhoDiedWritingHoldsUpNobodyForLong) {
  Guarded run;
  Worker worker(run.job, 0);
  run.job.meters(1).writing.store(1);  // killed in the middle of an update
  run.guard.look(nan);
  const float before = run.job.weight();
  std::atomic<bool> stepped{false};
  std::thread training([&] {
    worker.step(1);
    stepped.store(true);
  });
  EXPECT_TRUE(support::eventually([&] { return run.job.arena().workers()[0].heartbeat.waiting.load() == 1; }));
  EXPECT_FALSE(stepped.load());
  EXPECT_EQ(run.job.weight(), before);
  EXPECT_TRUE(run.guard.serve());
  training.join();
  EXPECT_NE(run.job.weight(), before);
  Worker replacement(run.job, 1);
  EXPECT_EQ(run.job.meters(1).writing.load(), 0U);
}

TEST(Rollback, AReplacedEvaluatorCarriesItOut) {
  Guarded run;
  Worker worker(run.job, 0);
  const float initial = run.job.weight();
  worker.step(1);
  run.guard.look(nan);
  ParameterGuard replacement(run.job.arena(), nn::flat_layout(run.job.model), &run.optimizer);
  EXPECT_TRUE(replacement.serve());
  EXPECT_EQ(run.job.weight(), initial);
  EXPECT_EQ(run.rollbacks(), 1U);
}

TEST(Rollback, WithoutItParametersThatAreNoNumbersEndTheJob) {
  Guarded run{TrainOptions()};
  run.guard.look(nan);
  EXPECT_FALSE(run.job.arena().stopping()) << "the loss alone may be the test data's fault";
  run.poison();
  run.guard.look(0.5);
  ASSERT_TRUE(run.job.arena().meters().trouble());
  EXPECT_EQ(run.job.arena().meters().trouble()->what, Trouble::parameters);
  TrainOptions endless;
  endless.nonfinite_limit = 0;
  Guarded other(endless);
  other.poison();
  other.guard.look(nan);
  EXPECT_FALSE(other.job.arena().stopping());
}

}  // namespace
}  // namespace feral
