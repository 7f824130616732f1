#include "workers/quiesce.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "shm/memfd.hpp"
#include "tests/support/eventually.hpp"

namespace feral {
namespace {

using std::chrono::milliseconds;

// An arena whose slots are filled and taken by threads that go by the worker's rules.
class Quiescence : public testing::Test {
 protected:
  Quiescence() {
    TrainOptions options;
    options.workers = 4;
    options.batch = 1;
    options.epochs = 100'000;
    const JobDescription description{.samples = 1000,
                                     .test_samples = 0,
                                     .fields = {{"data", DType::float32, {1}}},
                                     .parameter_bytes = 64,
                                     .parameter_elements = 1,
                                     .optimizer_bytes = 64,
                                     .needs_closure = false,
                                     .resident_bytes = 0,
                                     .kernels = ""};
    const JobBlock block = plan_job(options, description, 4);
    const std::size_t bytes =
        plan_arena(block, slot_bytes(data::BatchLayout(description.fields, options.batch))).total_bytes();
    memfd_ = shm::create_memfd("feral-test");
    shm::set_size_and_seal(memfd_.get(), bytes);
    arena_.emplace(JobArena::create(memfd_.get(), block));
  }
  ~Quiescence() override {
    arena_->request_stop(StopReason::requested);
    for (std::thread& thread : threads_) thread.join();
  }

  void fill() {
    while (const auto claim = arena_->ring().try_claim({0, 0})) arena_->ring().publish(*claim);
  }

  void start_worker(std::uint16_t index) {
    threads_.emplace_back([this, index] {
      shm::SlotRing& ring = arena_->ring();
      while (!arena_->stopping()) {
        fill();
        if (!may_begin_batch(*arena_)) {
          wait_out_pause(*arena_);
          continue;
        }
        const auto claim = ring.try_take({index, 0});
        if (!claim) continue;
        if (!may_begin_batch(*arena_)) {
          ring.put_back(*claim);
          continue;
        }
        inside_.fetch_add(1);
        writes_.fetch_add(1, std::memory_order_relaxed);
        inside_.fetch_sub(1);
        ring.finish(*claim);
      }
    });
  }

  shm::Fd memfd_;
  std::optional<JobArena> arena_;
  std::atomic<int> inside_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::vector<std::thread> threads_;
};

TEST_F(Quiescence, NobodyIsWithinABatchWhileItHolds) {
  for (std::uint16_t i = 0; i < 4; ++i) start_worker(i);
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t before = writes_.load();
    ASSERT_TRUE(support::eventually([&] { return writes_.load() > before; })) << "workers go on";
    Quiesce quiesce(*arena_, milliseconds(10'000), milliseconds(60'000));
    ASSERT_TRUE(quiesce.holds());
    const std::uint64_t during = writes_.load();
    EXPECT_EQ(inside_.load(), 0);
    EXPECT_EQ(arena_->ring().done_count(), during) << "the position is that of the values";
    for (int look = 0; look < 100; ++look) ASSERT_EQ(writes_.load(), during);
    EXPECT_TRUE(quiesce.holds());
  }
}

TEST_F(Quiescence, AWorkerStuckInABatchCostsPatienceAlone) {
  fill();
  ASSERT_TRUE(arena_->ring().try_take({0, 0}));
  Quiesce quiesce(*arena_, milliseconds(20), milliseconds(1000));
  EXPECT_FALSE(quiesce.holds());
}

TEST_F(Quiescence, ABatchGivenBackAfterADeathEndsTheWait) {
  fill();
  ASSERT_TRUE(arena_->ring().try_take({0, 0}));
  std::thread launcher([&] {
    EXPECT_TRUE(support::eventually([&] { return !may_begin_batch(*arena_); }));
    arena_->ring().reclaim_worker({0, 0});
    arena_->notify_all();
  });
  Quiesce quiesce(*arena_, milliseconds(30'000), milliseconds(1000));
  EXPECT_TRUE(quiesce.holds());
  launcher.join();
}

TEST_F(Quiescence, APauseWhoseEvaluatorDiesEndsByItself) {
  arena_->checkpoint().pause_until_ns.store(monotonic_ns() + 30'000'000);
  EXPECT_FALSE(may_begin_batch(*arena_));
  wait_out_pause(*arena_);
  EXPECT_TRUE(may_begin_batch(*arena_));
}

TEST_F(Quiescence, WithoutHoldItEnds) {
  Quiesce quiesce(*arena_, milliseconds(0), milliseconds(1));
  EXPECT_TRUE(support::eventually([&] { return !quiesce.holds(); }));
  EXPECT_TRUE(may_begin_batch(*arena_));
}

}  // namespace
}  // namespace feral
