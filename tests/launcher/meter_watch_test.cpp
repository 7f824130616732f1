#include "launcher/meter_watch.hpp"

#include <gtest/gtest.h>

#include "tests/support/messages.hpp"
#include "tests/workers/gated_job.hpp"

namespace feral {
namespace {

using support::has;
using testing_support::GatedJob;

TEST(MeterWatch, NamesAWorkerOnceWithItsFirstBatchAndTensor) {
  GatedJob job{TrainOptions()};
  MeterWatch watch;
  EXPECT_TRUE(watch.news(job.arena()).empty());
  job.meters(1).dropped_tensor.store(2);
  job.meters(1).first_dropped.store(18);
  const std::vector<std::string> lines = watch.news(job.arena());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(has(lines[0], {"worker 1", "second.weight", "batch 17 (epoch 2)"})) << "16 batches are an epoch";
  EXPECT_TRUE(watch.news(job.arena()).empty());
}

TEST(MeterWatch, TellsOfEveryRollback) {
  GatedJob job{TrainOptions()};
  MeterWatch watch;
  job.arena().rollback().block().restored_steps.store(1234);
  job.arena().rollback().block().done.store(1);
  const std::vector<std::string> lines = watch.news(job.arena());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(has(lines[0], {"rollback 1", "1,234 steps"}));
  EXPECT_TRUE(watch.news(job.arena()).empty());
}

TEST(MeterWatch, SaysWhyARunCannotGoOn) {
  GatedJob first{TrainOptions()};
  EXPECT_FALSE(MeterWatch::trouble(first.arena()));
  first.arena().meters().raise({.what = Trouble::gradients, .worker = 1, .item = 33});
  EXPECT_TRUE(has(*MeterWatch::trouble(first.arena()),
                  {"worker 1", "first.weight", "10 steps in a row", "batch 33 (epoch 3)", "lower --lr"}));
  GatedJob second{TrainOptions()};
  second.arena().meters().raise({.what = Trouble::parameters});
  EXPECT_TRUE(has(*MeterWatch::trouble(second.arena()), {"the parameters", "--on-nonfinite rollback"}));
  GatedJob third{TrainOptions()};
  third.arena().meters().raise({.what = Trouble::snapshots});
  EXPECT_TRUE(has(*MeterWatch::trouble(third.arena()), {"no snapshot left"}));
}

TEST(MeterWatch, ReportsTheWorkersThatWorkedAndEveryTensor) {
  GatedJob job{TrainOptions()};
  job.arena().workers()[2].steps.store(1);  // the job has grown by one
  job.meters(0).staleness.add(3);
  job.meters(2).staleness.add(5);
  job.meters(2).dropped_nonfinite.store(7);
  job.arena().meters().lost(0)[1].metered.store(50);
  job.arena().meters().lost(2)[1].metered.store(50);
  job.arena().meters().lost(2)[1].lost.store(4);
  const MeterReport report = MeterWatch::report(job.arena());
  EXPECT_EQ(report.staleness_per_worker.size(), 3U);
  EXPECT_EQ(report.staleness.mean, 4);
  EXPECT_EQ(report.dropped_nonfinite, 7U);
  EXPECT_EQ(report.dropped_nonfinite_per_worker, (std::vector<std::uint64_t>{0, 0, 7}));
  ASSERT_EQ(report.lost.size(), 4U);
  EXPECT_EQ(report.lost[1].tensor, "first.bias");
  EXPECT_DOUBLE_EQ(report.lost[1].counts.share(), 0.04);
  EXPECT_EQ(report.lost[1].counts.updates, 100U * 16 * 61);
}

TEST(MeterWatch, TheSummaryNamesTheTensorAndAdvisesWhereItPaysOnly) {
  MeterReport report;
  EXPECT_TRUE(MeterWatch::summary(report).empty()) << "nothing happened";
  report.staleness = {.updates = 10, .mean = 1, .p50 = 1, .p99 = 3, .max = 4};
  report.lost = {{"a", {.updates = 1000, .lost = 1}}, {"b", {.updates = 1000, .lost = 5}}};
  std::vector<std::string> lines = MeterWatch::summary(report);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(has(lines[0], {"staleness: mean 1.00", "max 4"}));
  EXPECT_TRUE(has(lines[1], {"0.3%", "b: 0.5%"}));
  EXPECT_EQ(lines[1].find("atomic-add"), std::string::npos);
  report.lost[1].counts.lost = 20;
  EXPECT_TRUE(has(MeterWatch::summary(report)[1], {"2%", "--policy atomic-add"}));
}

}  // namespace
}  // namespace feral
