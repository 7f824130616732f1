#include "workers/staleness.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace feral {
namespace {

// What lies in the arena, for some workers.
struct Job {
  UpdateCounter counter{};
  StalenessHistogram histograms[4]{};
  StalenessSummary summary(std::size_t worker) {
    StalenessTotals totals;
    totals.add(histograms[worker]);
    return totals.summary();
  }
};

TEST(Staleness, CountsTheUpdatesOfOthersBetweenReadingAndWriting) {
  Job job;
  Staleness slow(job.counter, job.histograms[0]);
  Staleness fast(job.counter, job.histograms[1]);
  slow.read();
  for (int i = 0; i < 3; ++i) {
    fast.read();
    EXPECT_EQ(fast.now(), 0U);
    fast.written();
  }
  EXPECT_EQ(slow.now(), 3U);
  slow.written();
  EXPECT_EQ(slow.now(), 0U) << "its own update is none of others";
  EXPECT_EQ(job.summary(0).updates, 1U);
  EXPECT_EQ(job.summary(0).mean, 3);
  EXPECT_EQ(job.summary(0).max, 3U);
  EXPECT_EQ(job.summary(1).updates, 3U);
  EXPECT_EQ(job.summary(1).max, 0U);
  EXPECT_EQ(job.counter.updates.load(), 4U);
}

TEST(Staleness, WritingTwiceAfterOneReadingCountsFromTheFirstWrite) {
  Job job;
  Staleness one(job.counter, job.histograms[0]);
  Staleness other(job.counter, job.histograms[1]);
  one.read();
  one.written();
  other.read();
  other.written();
  one.written();
  EXPECT_EQ(job.summary(0).mean, 0.5);
}

TEST(Staleness, BucketsAreExactAtFirstThenPowersOfTwoAndEndSomewhere) {
  using Histogram = StalenessHistogram;
  for (std::uint64_t value = 0; value < Histogram::exact; ++value) {
    EXPECT_EQ(Histogram::bucket_of(value), value);
    EXPECT_EQ(Histogram::lowest_of(value), value);
  }
  for (std::size_t bucket = Histogram::exact; bucket < Histogram::bucket_count; ++bucket) {
    const std::uint64_t lowest = Histogram::lowest_of(bucket);
    EXPECT_EQ(Histogram::bucket_of(lowest), bucket);
    EXPECT_EQ(Histogram::bucket_of(lowest - 1), bucket - 1);
  }
  EXPECT_EQ(Histogram::lowest_of(Histogram::exact + 1), 64U);
  EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::bucket_count - 1);
}

TEST(Staleness, PercentilesMeanAndMaximumAreThoseOfTheValues) {
  Job job;
  for (std::uint64_t value = 0; value < 100; ++value) job.histograms[0].add(value % 10);
  job.histograms[1].add(1000);
  EXPECT_EQ(job.summary(0).mean, 4.5);
  EXPECT_EQ(job.summary(0).p50, 4U);
  EXPECT_EQ(job.summary(0).p99, 9U);
  EXPECT_EQ(job.summary(1).p50, 512U) << "the lower end of the bucket";
  EXPECT_EQ(job.summary(1).max, 1000U);
  StalenessTotals both;
  both.add(job.histograms[0]);
  both.add(job.histograms[1]);
  EXPECT_EQ(both.summary().updates, 101U);
  EXPECT_EQ(both.summary().p99, 9U);
  EXPECT_EQ(both.summary().max, 1000U);
  EXPECT_EQ(StalenessTotals().summary().mean, 0);
}

TEST(Staleness, WhatOneWaitsForOthersHaveCaused) {
  // Over all workers, the sum of staleness is the number of pairs (update, other's update between its read and
  // write): no count is lost by racing threads, so no worker's sum can exceed all updates of the others while it
  // was at work.
  Job job;
  constexpr std::uint64_t each = 20'000;
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&, worker] {
      Staleness staleness(job.counter, job.histograms[worker]);
      for (std::uint64_t i = 0; i < each; ++i) {
        staleness.read();
        staleness.written();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(job.counter.updates.load(), 4 * each);
  for (std::size_t worker = 0; worker < 4; ++worker) {
    EXPECT_EQ(job.summary(worker).updates, each);
    EXPECT_LE(job.histograms[worker].sum.load(), 3 * each);
  }
}

}  // namespace
}  // namespace feral
