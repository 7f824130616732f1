// The processes' loops as threads of one process on one arena, for ThreadSanitizer, which cannot see across
// processes: two workers, a loader and the evaluator; the test plays the launcher.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <optional>
#include <thread>

#include "data/digits.hpp"
#include "data/image_dataset.hpp"
#include "models/lenet.hpp"
#include "models/mlp.hpp"
#include "shm/memfd.hpp"
#include "tensor/cpu/blas.hpp"
#include "tensor/racy.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/evaluator.hpp"
#include "workers/hogwild_worker.hpp"
#include "workers/job_arena.hpp"
#include "workers/loader.hpp"

namespace feral {
namespace {

constexpr std::int64_t train_samples = 603;  // the last batch of an epoch is a short one
constexpr std::int64_t test_samples = 300;

template <class Model>
Job digits_job() {
  Job job;
  job.model = [] { return std::make_unique<Model>(); };
  job.train_data = [] { return std::make_unique<data::ImageDataset>(data::generate_digits(train_samples, 1)); };
  job.test_data = [] { return std::make_unique<data::ImageDataset>(data::generate_digits(test_samples, 2)); };
  return job;
}

// A job's arena, trained by threads.
class ThreadedJob {
 public:
  ThreadedJob(Job job, const TrainOptions& options) : job_(std::move(job)), evaluator_(job_, options) {
    openblas_set_num_threads(1);
    const JobDescription description = evaluator_.describe();
    const JobBlock block = plan_job(options, description, 16);
    const data::BatchLayout layout(description.fields, options.batch);
    const std::size_t bytes = plan_arena(block, slot_bytes(layout)).total_bytes();
    memfd_ = shm::create_memfd("feral-test");
    shm::set_size_and_seal(memfd_.get(), bytes);
    shm::reserve_pages(memfd_.get(), bytes);
    arena_.emplace(JobArena::create(memfd_.get(), block));
  }

  void run() {
    std::thread evaluator([&] { evaluator_.run(*arena_); });
    std::vector<std::thread> training;
    for (std::uint16_t i = 0; i < arena_->job().loaders; ++i) {
      training.emplace_back([&, i] { run_loader(*job_.train_data(), *arena_, {i, 0}); });
    }
    for (std::uint16_t i = 0; i < arena_->job().workers; ++i) {
      training.emplace_back([&, i] { run_hogwild_worker(job_, *arena_, {i, 0}); });
    }
    for (std::thread& thread : training) thread.join();
    arena_->control().training_over.store(1, std::memory_order_release);
    arena_->notify_all();
    evaluator.join();
  }

  JobArena& arena() { return *arena_; }
  const Evaluation& last() { return arena_->evaluations().back(); }

 private:
  Job job_;
  Evaluator evaluator_;
  shm::Fd memfd_;
  std::optional<JobArena> arena_;
};

void expect_every_sample_once_an_epoch(JobArena& arena) {
  EXPECT_TRUE(arena.ring().all_done());
  for (std::uint64_t epoch = 0; epoch < arena.job().epochs; ++epoch) {
    EXPECT_EQ(arena.ledger().totals(arena.ring(), epoch).samples, static_cast<std::uint64_t>(train_samples));
  }
  std::uint64_t steps = 0;
  for (const WorkerBlock& worker : arena.workers()) steps += worker.steps.load();
  EXPECT_EQ(steps, arena.ring().item_count());
}

// Under ThreadSanitizer an epoch takes long, and shows the races that there are.
#ifdef FERAL_RACY_ATOMICS
constexpr bool thorough = false;
#else
constexpr bool thorough = true;
#endif

TEST(HogwildThreads, TwoWorkersLearnWithAMomentumOfTheirOwn) {
  TrainOptions options;
  options.workers = 2;
  options.loaders = 1;
  options.epochs = thorough ? 12 : 2;
  options.batch = 20;
  options.lr = 0.01;
  ThreadedJob job(digits_job<models::MLP>(), options);
  job.run();
  expect_every_sample_once_an_epoch(job.arena());
  ASSERT_EQ(job.last().done.load(), 1U);
  EXPECT_GT(job.last().accuracy, thorough ? 0.8 : 0) << "chance is 0.1";
  const EpochTotals first = job.arena().ledger().totals(job.arena().ring(), 0);
  const EpochTotals last = job.arena().ledger().totals(job.arena().ring(), job.arena().job().epochs - 1);
  EXPECT_LT(last.loss_sum, first.loss_sum / (thorough ? 4 : 1));
}

TEST(HogwildThreads, WorkersOfTwoNodesLearnOnAReplicaEach) {
  TrainOptions options;
  options.workers = 3;
  options.epochs = thorough ? 20 : 3;
  options.batch = 10;
  options.replicas = true;
  options.nodes = 2;
  options.lr = 0.01;
  ThreadedJob job(digits_job<models::MLP>(), options);
  job.run();
  expect_every_sample_once_an_epoch(job.arena());
  EXPECT_GT(job.last().accuracy, thorough ? 0.8 : 0);
  EXPECT_GT(job.arena().replicas()->reconciliations(), 3U);
}

TEST(HogwildThreads, TwoWorkersLearnWithASharedMomentum) {
  TrainOptions options;
  options.epochs = thorough ? 12 : 2;
  options.batch = 20;
  options.shared_state = true;
  options.lr = 0.01;
  ThreadedJob job(digits_job<models::MLP>(), options);
  job.run();
  expect_every_sample_once_an_epoch(job.arena());
  EXPECT_GT(job.last().accuracy, thorough ? 0.8 : 0);
}

TEST(HogwildThreads, TwoWorkersLearnWithASharedStateOfAdamLockedOrNot) {
  for (const Policy policy : {Policy::racy, Policy::locked}) {
    TrainOptions options;
    options.epochs = thorough ? 6 : 1;
    options.batch = 20;
    options.optimizer = optim::Rule::adam;
    options.lr = 1e-3;
    options.shared_state = true;
    options.policy = policy;
    ThreadedJob job(digits_job<models::MLP>(), options);
    job.run();
    expect_every_sample_once_an_epoch(job.arena());
    EXPECT_GT(job.last().accuracy, thorough ? 0.7 : 0) << name_of(policy);
    const auto* counts = reinterpret_cast<const std::uint64_t*>(job.arena().optimizer_state(0).data());
    EXPECT_EQ(counts[0], job.arena().ring().item_count()) << "the count is of all workers' steps, none lost";
  }
}

TEST(HogwildThreads, SteeredWorkersPauseLeaveAndTakeTheRateThatIsSet) {
  TrainOptions options;
  options.workers = 2;
  options.epochs = 8;
  options.batch = 20;
  Job definition = digits_job<models::MLP>();
  JobArena* arena = nullptr;
  std::atomic<int> steps{0};
  std::atomic<int> steered{0};  // steps since the rate was set, but the one that others may have been at
  definition.step = [&](StepContext& context) {
    SteeringBlock& steering = arena->steering();
    const int number = ++steps;
    if (number == 20) steering.workers_wanted.store(1, std::memory_order_relaxed);
    if (number == 40) steering.paused.store(1, std::memory_order_relaxed);
    if (number == 60) steering.lr.store(0.125, std::memory_order_relaxed);
    if (number > 62) {
      ++steered;
      EXPECT_EQ(context.optimizer.lr(), 0.125);
    }
    return 1.0;
  };
  ThreadedJob job(std::move(definition), options);
  arena = &job.arena();
  std::thread launcher([&] {
    SteeringBlock& steering = arena->steering();
    EXPECT_TRUE(support::eventually([&] { return steering.paused.load(std::memory_order_relaxed) == 1; }));
    const Heartbeat& worker = arena->workers()[0].heartbeat;
    EXPECT_TRUE(support::eventually([&] { return worker.waiting.load(std::memory_order_relaxed) == 1; }));
    EXPECT_LE(steps.load(), 42) << "nobody takes a batch in a pause";
    steering.paused.store(0, std::memory_order_relaxed);
    arena->notify_all();
  });
  job.run();
  launcher.join();
  expect_every_sample_once_an_epoch(job.arena());
  EXPECT_GT(steered.load(), 100);
  EXPECT_LE(arena->workers()[1].steps.load(), 21U);
}

// The parameters, whose bits two runs may share.
std::vector<std::byte> parameters_of(JobArena& arena) {
  return {arena.parameters().begin(), arena.parameters().end()};
}

TEST(HogwildThreads, EveryPolicyLearnsAndLosesNoBatch) {
  struct Way {
    Policy policy;
    std::int64_t publish_every;
  };
  for (const Way& way : {Way{Policy::atomic_add, 1}, Way{Policy::locked, 1}, Way{Policy::snapshot, 1},
                         Way{Policy::racy, 4}, Way{Policy::atomic_add, 4}}) {
    TrainOptions options;
    options.epochs = thorough ? 8 : 1;
    options.batch = 20;
    options.lr = 0.02;
    options.policy = way.policy;
    options.publish_every = way.publish_every;
    ThreadedJob job(digits_job<models::MLP>(), options);
    job.run();
    expect_every_sample_once_an_epoch(job.arena());
    EXPECT_GT(job.last().accuracy, thorough ? 0.7 : 0) << name_of(way.policy) << " " << way.publish_every;
  }
}

TEST(HogwildThreads, AWorkerThatHoldsAllThereIsPublishesBeforeItWaits) {
  TrainOptions options;
  options.max_workers = options.workers = 2;
  options.epochs = 2;
  options.batch = 603;  // a batch an epoch
  options.publish_every = 64;
  ThreadedJob job(digits_job<models::MLP>(), options);
  job.run();
  expect_every_sample_once_an_epoch(job.arena());
}

TEST(HogwildThreads, DeterministicRunsEndInTheSameBits) {
  for (const int workers : {3, 2, 1}) {
    TrainOptions options;
    options.workers = workers;
    options.loaders = 2;
    options.epochs = thorough ? 3 : 1;
    options.batch = 20;
    options.optimizer = optim::Rule::adam;
    options.lr = 1e-3;
    options.deterministic = true;
    std::vector<std::byte> found;
    for (int run = 0; run < 2; ++run) {
      ThreadedJob job(digits_job<models::MLP>(), options);
      job.run();
      expect_every_sample_once_an_epoch(job.arena());
      EXPECT_GT(job.last().accuracy, thorough ? 0.4 : 0);
      if (run == 0) found = parameters_of(job.arena());
      EXPECT_EQ(found, parameters_of(job.arena())) << workers;
    }
    if (!thorough) break;
  }
}

// The worker without a batch in the last round may look for its version when the others are past it.
TEST(HogwildThreads, DeterministicJobsWithAShortLastRoundEnd) {
  TrainOptions options;
  options.workers = 2;
  options.epochs = 1;
  options.batch = 201;  // three of them
  options.evaluate_every = 0;
  options.deterministic = true;
  for (int run = 0; run < (thorough ? 60 : 2); ++run) {
    ThreadedJob job(digits_job<models::MLP>(), options);
    job.run();
    expect_every_sample_once_an_epoch(job.arena());
  }
}

TEST(HogwildThreads, ARequestToStopEndsADeterministicJob) {
  TrainOptions options;
  options.workers = 3;
  options.epochs = 100'000;
  options.deterministic = true;
  ThreadedJob job(digits_job<models::MLP>(), options);
  std::thread launcher([&] {
    EXPECT_TRUE(support::eventually([&] { return job.arena().ring().done_count() > 10; }));
    job.arena().request_stop(StopReason::requested);
  });
  job.run();
  launcher.join();
}

TEST(HogwildThreads, ThePlateauOfTheTestLossLowersTheRate) {
  constexpr std::uint64_t per_epoch = 7;
  TrainOptions options;
  options.workers = 1;  // several may finish an epoch before the one before it is measured
  options.epochs = 8;
  options.batch = 100;
  options.lr = 0.1;
  options.schedule = optim::Schedule::plateau;
  options.lr_period = 1;
  // A step that learns nothing: no measurement after the first is better. It waits until the last whole epoch is
  // measured.
  JobArena* arena = nullptr;
  std::atomic<double> lowest{1};
  Job definition = digits_job<models::MLP>();
  definition.step = [&](StepContext& context) {
    EXPECT_TRUE(support::eventually([&] {
      const auto whole = static_cast<std::size_t>(arena->ring().low_water() / per_epoch);
      return whole == 0 || arena->evaluations()[whole - 1].done.load() != 0;
    }));
    double seen = lowest.load();
    while (context.optimizer.lr() < seen && !lowest.compare_exchange_weak(seen, context.optimizer.lr())) {
    }
    return 1.0;
  };
  ThreadedJob job(definition, options);
  arena = &job.arena();
  job.run();
  EXPECT_NEAR(lowest.load(), 1e-4, 1e-9) << "after seven measurements, each third and second of which counts";
}

TEST(HogwildThreads, AConvolutionalNetTrainsToo) {
  TrainOptions options;
  options.workers = 3;
  options.loaders = 2;
  options.epochs = thorough ? 2 : 1;
  options.batch = 32;
  ThreadedJob job(digits_job<models::LeNet>(), options);
  job.run();
  expect_every_sample_once_an_epoch(job.arena());
  ASSERT_EQ(job.last().done.load(), 1U);
  EXPECT_TRUE(std::isfinite(job.last().loss));
}

TEST(HogwildThreads, CheckpointsAreWrittenBesideTheTraining) {
  for (const CheckpointMode mode : {CheckpointMode::fuzzy, CheckpointMode::quiesced}) {
    const support::TemporaryFolder folder;
    TrainOptions options;
    options.epochs = thorough ? 12 : 3;
    options.batch = 20;
    options.checkpoint = folder.path();
    options.checkpoint_mode = mode;
    ThreadedJob job(digits_job<models::MLP>(), options);
    job.run();
    expect_every_sample_once_an_epoch(job.arena());
    EXPECT_GE(job.arena().checkpoint().written.load(), 1U);
    EXPECT_EQ(job.arena().checkpoint().failed.load(), 0U);
    const CheckpointSearch search = newest_checkpoint(folder.path());
    ASSERT_TRUE(search.found);
    EXPECT_EQ(search.found->step, job.arena().ring().item_count());
    EXPECT_EQ(search.found->record.mode, CheckpointMode::quiesced) << "nobody trains any more";
  }
}

TEST(HogwildThreads, AReachedTargetStopsEverybodyAndIsMeasuredAgain) {
  TrainOptions options;
  options.epochs = 1000;
  options.batch = 20;
  options.lr = 0.01;
  options.target_accuracy = 0.5;
  ThreadedJob job(digits_job<models::MLP>(), options);
  job.run();
  EXPECT_EQ(job.arena().control().stop.load(), StopReason::target_reached);
  EXPECT_FALSE(job.arena().ring().all_done());
  ASSERT_EQ(job.last().done.load(), 1U) << "the final figure is wanted";
  EXPECT_GT(job.last().accuracy, 0.4);
}

TEST(HogwildThreads, ARequestToStopEndsAllLoops) {
  TrainOptions options;
  options.epochs = 100'000;
  ThreadedJob job(digits_job<models::MLP>(), options);
  std::thread launcher([&] {
    while (job.arena().ring().done_count() < 10) {
      const std::uint32_t key = job.arena().ring().free_event().key();
      if (job.arena().ring().done_count() < 10) {
        job.arena().ring().free_event().wait(key, 0, std::chrono::milliseconds(100));
      }
    }
    job.arena().request_stop(StopReason::requested);
  });
  job.run();
  launcher.join();
  EXPECT_EQ(job.last().done.load(), 0U) << "nobody waits for a figure";
}

}  // namespace
}  // namespace feral
