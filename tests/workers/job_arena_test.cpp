#include "workers/job_arena.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <limits>

#include "shm/memfd.hpp"
#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

constexpr int cores = 4;

JobDescription description() {
  return {.samples = 1000,
          .test_samples = 100,
          .fields = {{"data", DType::float32, {1, 28, 28}}, {"target", DType::int64, {}}},
          .parameter_bytes = 4096,
          .parameter_elements = 1000,
          .optimizer_bytes = 8256,
          .needs_closure = false,
          .resident_bytes = 0,
          .kernels = "",
          .tensor_records = 3};
}

std::string plan_error(const std::function<void(TrainOptions&, JobDescription&)>& change) {
  TrainOptions options;
  JobDescription d = description();
  change(options, d);
  return error_of([&] { plan_job(options, d, cores); });
}

TEST(PlanJob, TakesOverWhatTheOptionsAndTheDescriptionSay) {
  TrainOptions options;
  options.workers = 3;
  options.loaders = 2;
  options.epochs = 7;
  options.batch = 30;
  options.seed = 99;
  options.lr = 0.25;
  options.momentum = 0.5;
  options.weight_decay = 0.125;
  options.optimizer = optim::Rule::adamw;
  options.policy = Policy::locked;
  options.beta1 = 0.75;
  options.beta2 = 0.875;
  options.schedule = optim::Schedule::step;
  options.lr_gamma = 0.5;
  options.lr_period = 2;
  options.warmup = 11;
  options.shared_state = true;
  options.target_accuracy = 0.75;
  options.staleness_scale = true;
  options.on_nonfinite = OnNonfinite::stop;
  options.nonfinite_limit = 5;
  const JobBlock block = plan_job(options, description(), cores);
  EXPECT_EQ(block.plan.samples, 1000U);
  EXPECT_EQ(block.plan.batch, 30U);
  EXPECT_EQ(block.plan.seed, 99U);
  EXPECT_EQ(block.epochs, 7U);
  EXPECT_EQ(block.workers, 3U);
  EXPECT_EQ(block.loaders, 2U);
  EXPECT_EQ(block.rule, optim::Rule::adamw);
  EXPECT_EQ(block.policy, Policy::locked);
  EXPECT_EQ(block.rule_options.lr, 0.25);
  EXPECT_EQ(block.rule_options.momentum, 0.5);
  EXPECT_EQ(block.rule_options.weight_decay, 0.125);
  EXPECT_EQ(block.rule_options.beta1, 0.75);
  EXPECT_EQ(block.rule_options.beta2, 0.875);
  EXPECT_EQ(block.schedule.schedule, optim::Schedule::step);
  EXPECT_EQ(block.schedule.gamma, 0.5);
  EXPECT_EQ(block.schedule.period, 2U);
  EXPECT_EQ(block.schedule.warmup, 11U);
  EXPECT_EQ(block.shared_state, 1U);
  EXPECT_EQ(block.optimizer_bytes, 8256U);
  EXPECT_EQ(block.target_accuracy, 0.75);
  EXPECT_EQ(block.staleness_scale, 1U);
  EXPECT_EQ(block.on_nonfinite, OnNonfinite::stop);
  EXPECT_EQ(block.nonfinite_limit, 5U);
  EXPECT_EQ(block.parameter_bytes, 4096U);
  ASSERT_EQ(block.field_count, 2U);
  EXPECT_STREQ(block.fields[0].name, "data");
  EXPECT_EQ(block.fields[0].dims, 3);
  EXPECT_EQ(block.fields[1].dims, 0);
  EXPECT_GE(block.slots, block.workers + block.loaders) << "nobody waits for a slot that another one holds";
}

TEST(PlanJob, SpinsOnlyWhereEachProcessHasACore) {
  TrainOptions options;
  options.workers = 2;
  options.loaders = 1;  // and the evaluator
  EXPECT_GT(plan_job(options, description(), 4).spins, 0);
  EXPECT_EQ(plan_job(options, description(), 3).spins, 0);
}

TEST(PlanJob, RefusesNumbersOutOfRangeByName) {
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1025}, std::int64_t{10'000},
                                   std::numeric_limits<std::int64_t>::max()}) {
    const std::string number = std::to_string(count);
    EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { o.workers = count; }), {"--workers " + number, "1 to 1024"}));
    EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { o.loaders = count; }), {"--loaders " + number, "1 to 1024"}));
  }
  for (const std::int64_t count : {0, -3, 100'001}) {
    EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { o.epochs = count; }), {"--epochs", "1 to 100000"}));
  }
  EXPECT_EQ(plan_error([](auto& o, auto&) { o.workers = o.loaders = 1024; }), "");
}

TEST(PlanJob, RefusesABatchThatIsLargerThanTheData) {
  EXPECT_EQ(plan_error([](auto& o, auto&) { o.batch = 1000; }), "");
  for (const std::int64_t batch : {0, -1, 1001}) {
    EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { o.batch = batch; }),
                    {"--batch " + std::to_string(batch), "1 to 1000"}));
  }
}

TEST(PlanJob, RefusesDataThatCannotBeTrainedOn) {
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.samples = 0; }), {"empty"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.samples = -5; }), {"empty"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.fields.clear(); }), {"0 fields"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.fields.resize(9, d.fields[0]); }), {"9 fields", "1 to 8"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.fields[0].name = ""; }), {"1 to 31 characters"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.fields[0].name = std::string(32, 'x'); }), {"1 to 31"}));
}

TEST(PlanJob, RefusesAnOptimizerThatSearchesALineUnderSeveralWorkers) {
  EXPECT_TRUE(has(plan_error([](auto& o, auto&) { o.optimizer = optim::Rule::lbfgs; }),
                  {"--optimizer lbfgs", "--workers 2", "--workers 1", "synchronous mode"}));
  EXPECT_TRUE(has(plan_error([](auto&, auto& d) { d.needs_closure = true; }),
                  {"this job's optimizer", "--workers 2", "synchronous mode"}));
  EXPECT_EQ(plan_error([](auto& o, auto& d) {
              o.optimizer = optim::Rule::lbfgs;
              o.workers = 1;
              d.needs_closure = true;
            }),
            "");
}

TEST(PlanJob, PublishingSeldomHasSlotsForAllThatIsHeld) {
  TrainOptions options;
  options.max_workers = 3;
  options.max_loaders = 2;
  EXPECT_EQ(plan_job(options, description(), cores).slots, 3 * 3U + 2 + 1);
  EXPECT_EQ(plan_job(options, description(), cores).publish_every, 1U);
  options.publish_every = 8;
  EXPECT_EQ(plan_job(options, description(), cores).slots, 10 * 3U + 2 + 1);
  EXPECT_EQ(plan_job(options, description(), cores).publish_every, 8U);
  options.publish_every = 64;
  options.max_workers = 1024;
  EXPECT_EQ(plan_job(options, description(), cores).slots, shm::SlotRing::max_slots);
}

TEST(PlanJob, RefusesToPublishSeldomWhatIsNoSumOfSteps) {
  const auto with = [](const std::function<void(TrainOptions&, JobDescription&)>& change) {
    return plan_error([&](auto& o, auto& d) {
      o.publish_every = 4;
      change(o, d);
    });
  };
  EXPECT_EQ(with([](auto&, auto&) {}), "");
  EXPECT_EQ(with([](auto& o, auto&) { o.policy = Policy::atomic_add; }), "");
  for (const Policy policy : {Policy::locked, Policy::snapshot}) {
    EXPECT_TRUE(has(with([&](auto& o, auto&) { o.policy = policy; }),
                    {"--publish-every 4", "--policy " + std::string(name_of(policy)), "atomic-add"}));
  }
  EXPECT_TRUE(has(with([](auto& o, auto&) { o.shared_state = true; }), {"--publish-every 4", "--shared-state"}));
  EXPECT_TRUE(has(with([](auto& o, auto&) {
                    o.workers = 1;
                    o.optimizer = optim::Rule::lbfgs;
                  }),
                  {"--publish-every 4", "--optimizer lbfgs"}));
  EXPECT_TRUE(has(with([](auto& o, auto& d) {
                    o.workers = 1;
                    d.needs_closure = true;
                  }),
                  {"--publish-every 4", "this job's optimizer"}));
  for (const std::int64_t count : {0, -1, 65}) {
    EXPECT_TRUE(has(with([&](auto& o, auto&) { o.publish_every = count; }), {"--publish-every", "1 to 64"}));
  }
}

TEST(PlanJob, ADeterministicJobHasItsWorkersAndNothingThatGoesByTime) {
  const auto with = [](const std::function<void(TrainOptions&)>& change) {
    return plan_error([&](auto& o, auto&) {
      o.deterministic = true;
      change(o);
    });
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_EQ(with([](auto& o) { o.max_workers = o.workers; }), "");
  EXPECT_TRUE(has(with([](auto& o) { o.max_workers = 9; }), {"--deterministic", "--max-workers 9"}));
  EXPECT_TRUE(has(with([](auto& o) { o.policy = Policy::locked; }), {"--deterministic", "--policy locked"}));
  EXPECT_TRUE(has(with([](auto& o) { o.publish_every = 2; }), {"--deterministic", "--publish-every 2"}));
  EXPECT_TRUE(has(with([](auto& o) { o.shared_state = true; }), {"--deterministic", "--shared-state"}));
  EXPECT_TRUE(has(with([](auto& o) { o.staleness_scale = true; }), {"--deterministic", "--staleness-scale"}));
  EXPECT_TRUE(has(with([](auto& o) { o.target_accuracy = 0.5; }), {"--deterministic", "--target-accuracy"}));
  EXPECT_TRUE(
      has(with([](auto& o) { o.schedule = optim::Schedule::plateau; }), {"--deterministic", "--schedule plateau"}));
  TrainOptions options;
  options.deterministic = true;
  options.workers = 3;
  EXPECT_EQ(plan_job(options, description(), 16).max_workers, 3U);
  EXPECT_EQ(plan_job(options, description(), 16).deterministic, 1U);
}

TEST(PlanJob, APlateauNeedsDataToTestOn) {
  const auto plateau = [](auto& o, auto&) { o.schedule = optim::Schedule::plateau; };
  EXPECT_EQ(plan_error(plateau), "");
  EXPECT_TRUE(has(plan_error([&](auto& o, auto& d) {
                    plateau(o, d);
                    d.test_samples = 0;
                  }),
                  {"--schedule plateau", "no data to test on"}));
}

TEST(PlanArena, RefusesSizesThatOverflow) {
  JobBlock block = plan_job({}, description(), cores);
  EXPECT_TRUE(has(error_of([&] { plan_arena(block, std::numeric_limits<std::size_t>::max() / 2); }), {"overflow"}));
  block.parameter_bytes = std::numeric_limits<std::uint64_t>::max() - 4096;
  EXPECT_TRUE(has(error_of([&] { plan_arena(block, 128); }), {"overflow"}));
}

class JobInMemfd : public testing::Test {
 protected:
  JobInMemfd() : block_(plan_job(options(), description(), cores)), memfd_(shm::create_memfd("feral-test")) {
    const data::BatchLayout layout(description().fields, 64);
    shm::set_size_and_seal(memfd_.get(), plan_arena(block_, slot_bytes(layout)).total_bytes());
  }
  static TrainOptions options() {
    TrainOptions options;
    options.shared_state = true;
    return options;
  }
  JobBlock block_;
  shm::Fd memfd_;
};

TEST_F(JobInMemfd, AnAttachedOneHasTheSameParts) {
  JobArena created = JobArena::create(memfd_.get(), block_);
  JobArena attached = JobArena::attach(memfd_.get());
  EXPECT_EQ(attached.job().plan.samples, 1000U);
  EXPECT_EQ(attached.ring().item_count(), 16U * block_.epochs);
  EXPECT_EQ(attached.ring().slot_count(), block_.slots);
  EXPECT_EQ(attached.workers().size(), block_.max_workers);
  EXPECT_EQ(attached.loaders().size(), block_.max_loaders);
  EXPECT_EQ(attached.evaluations().size(), block_.epochs + 1);
  EXPECT_EQ(attached.parameters().size(), 4096U);
  EXPECT_EQ(attached.tensors().size(), 3U);
  EXPECT_EQ(attached.steering().workers_wanted.load(), block_.workers);
  EXPECT_EQ(attached.steering().loaders_wanted.load(), block_.loaders);
  EXPECT_EQ(attached.steering().spins.load(), block_.spins);
  EXPECT_EQ(attached.steering().lr.load(), 0);
  EXPECT_EQ(attached.optimizer_state(0).size(), 8256U);
  EXPECT_EQ(attached.optimizer_state(1).data(), attached.optimizer_state(0).data()) << "all share one";
  EXPECT_EQ(attached.batch_layout().capacity(), 64);
  EXPECT_EQ(attached.batch_layout().fields()[0].name, "data");
  EXPECT_EQ(attached.batch_layout().fields()[0].shape.to_string(), "[1, 28, 28]");

  created.parameters()[17] = std::byte{42};
  EXPECT_EQ(attached.parameters()[17], std::byte{42});
  created.slot_memory(3)[5] = std::byte{43};
  EXPECT_EQ(attached.slot_memory(3)[5], std::byte{43});
  const auto claim = created.ring().try_claim({});
  EXPECT_EQ(attached.ring().phase(claim->slot), shm::SlotPhase::filling);
}

TEST(PlanJob, EachWorkerThatTheJobMayGrowToHasAStateOfItsOwn) {
  TrainOptions own;
  own.max_workers = 5;
  const JobBlock block = plan_job(own, description(), cores);
  TrainOptions shared = own;
  shared.shared_state = true;
  const std::size_t one = 8320;  // 8256 bytes, and what it takes to start the next one on a line of its own
  EXPECT_EQ(
      plan_arena(block, 128).total_bytes() - plan_arena(plan_job(shared, description(), cores), 128).total_bytes(),
      4 * one);
}

TEST(PlanJob, RefusesToRollBackWhatWorkersKeepCopiesOf) {
  const auto refused = [](const std::function<void(TrainOptions&)>& change) {
    return plan_error([&](auto& o, auto&) { o.on_nonfinite = OnNonfinite::rollback, change(o); });
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& o) { o.policy = Policy::locked; }), "");
  EXPECT_TRUE(has(refused([](auto& o) { o.policy = Policy::snapshot; }), {"rollback with --policy snapshot"}));
  EXPECT_TRUE(has(refused([](auto& o) { o.publish_every = 2; }), {"rollback with --publish-every 2"}));
  EXPECT_TRUE(has(refused([](auto& o) { o.replicas = true; }), {"rollback with --replicas per-node"}));
  EXPECT_TRUE(has(refused([](auto& o) { o.deterministic = true; }), {"rollback with --deterministic"}));
}

TEST(PlanJob, RefusesToFollowEvaluationsThatAreOff) {
  EXPECT_TRUE(has(plan_error([](auto& o, auto&) { o.evaluate_every = -1; }), {"--evaluate-every -1"}));
  const auto off = [](auto& o) { o.evaluate_every = 0; };
  EXPECT_EQ(plan_error([&](auto& o, auto&) { off(o); }), "");
  EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { off(o), o.target_accuracy = 0.5; }), {"--target-accuracy 0.5"}));
  EXPECT_TRUE(has(plan_error([&](auto& o, auto&) { off(o), o.schedule = optim::Schedule::plateau; }), {"plateau"}));
}

TEST(PlanJob, AJobMayGrowToTwiceTheCoresUnlessToldOtherwise) {
  TrainOptions o;
  EXPECT_EQ(plan_job(o, description(), 8).max_workers, 16U);
  EXPECT_EQ(plan_job(o, description(), 8).max_loaders, 16U);
  o.max_workers = o.workers;
  EXPECT_EQ(plan_job(o, description(), 8).max_workers, static_cast<std::uint32_t>(o.workers));
  o.max_workers = 0;
  o.workers = 40;
  EXPECT_EQ(plan_job(o, description(), 8).max_workers, 40U);
  o.max_workers = 39;
  EXPECT_TRUE(has(error_of([&] { plan_job(o, description(), 8); }), {"--max-workers 39", "40 to 1024"}));
}

TEST_F(JobInMemfd, AnybodyMayAttachToReadAndNobodyWritesThen) {
  JobArena created = JobArena::create(memfd_.get(), block_);
  created.parameters()[17] = std::byte{42};
  const shm::Fd to_read(::open(("/proc/self/fd/" + std::to_string(memfd_.get())).c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(to_read);
  JobArena attached = JobArena::attach_to_read(to_read.get());
  EXPECT_EQ(attached.parameters()[17], std::byte{42});
  EXPECT_EQ(attached.ring().done_count(), 0U);
  EXPECT_FALSE(attached.stopping());
  EXPECT_DEATH(attached.parameters()[17] = std::byte{1}, "");  // by SIGSEGV; sanitizers make an exit code of it
}

TEST_F(JobInMemfd, TheFirstReasonToStopStays) {
  JobArena arena = JobArena::create(memfd_.get(), block_);
  EXPECT_FALSE(arena.stopping());
  const std::uint32_t ready = arena.ring().ready_event().key();
  const std::uint32_t free = arena.ring().free_event().key();
  const std::uint32_t changed = arena.control().changed.key();
  arena.request_stop(StopReason::target_reached);
  arena.request_stop(StopReason::requested);
  EXPECT_TRUE(arena.stopping());
  EXPECT_EQ(arena.control().stop.load(), StopReason::target_reached);
  EXPECT_NE(arena.ring().ready_event().key(), ready) << "workers are woken";
  EXPECT_NE(arena.ring().free_event().key(), free) << "loaders are woken";
  EXPECT_NE(arena.control().changed.key(), changed) << "the evaluator is woken";
}

TEST_F(JobInMemfd, AJobBlockThatContradictsTheArenaIsRefused) {
  JobArena::create(memfd_.get(), block_);
  const shm::Arena arena = shm::Arena::attach(memfd_.get());
  auto& block = arena.object<JobBlock>("job");
  const JobBlock good = block;
  const auto refused = [&](const std::function<void(JobBlock&)>& spoil) {
    spoil(block);
    const std::string message = error_of([&] { JobArena::attach(memfd_.get()); });
    block = good;
    return message;
  };
  EXPECT_NE(refused([](JobBlock& b) { b.max_workers = 7; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.workers = b.max_workers + 1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.max_loaders = 0xffff'ffff; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.workers = 0xffff'ffff; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.epochs = 1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.epochs = std::numeric_limits<std::uint64_t>::max(); }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.slots += 1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.slots = 0; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.plan.batch = 0; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.plan.batch = 65; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.plan.batch = 1ULL << 63; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.plan.samples = 0; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.plan.samples = 1 << 30; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.publish_every = 0; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.publish_every = 65; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.deterministic = 1; }), "") << "there is no turnstile";
  EXPECT_NE(refused([](JobBlock& b) { b.field_count = 0; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.tensor_records = 4; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.tensor_records = 0xffff'ffff; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.field_count = 1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.field_count = 9; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.fields[0].dims = -1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.fields[0].dims = Shape::max_dims + 1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.fields[0].sizes[0] = -1; }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.fields[0].sizes[0] = std::numeric_limits<std::int64_t>::max(); }), "");
  EXPECT_NE(refused([](JobBlock& b) { b.fields[0].dtype = static_cast<DType>(200); }), "");
  EXPECT_NE(refused([](JobBlock& b) { std::memset(b.fields[1].name, 'x', sizeof b.fields[1].name); }), "");
  EXPECT_EQ(refused([](JobBlock&) {}), "");
}

}  // namespace
}  // namespace feral
