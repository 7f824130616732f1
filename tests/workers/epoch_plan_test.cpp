#include "workers/epoch_plan.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace feral {
namespace {

std::vector<std::int64_t> samples_of(SampleOrder& order, std::uint64_t item) {
  std::vector<std::int64_t> indices;
  order.samples(item, indices);
  return indices;
}

TEST(EpochPlan, CountsBatchesAndTheShorterLastOne) {
  constexpr EpochPlan plan{.samples = 10, .batch = 4};
  EXPECT_EQ(plan.batches_per_epoch(), 3U);
  EXPECT_EQ(plan.samples_of(0), 4U);
  EXPECT_EQ(plan.samples_of(2), 2U);
  EXPECT_EQ(plan.samples_of(3), 4U) << "the next epoch";
  EXPECT_EQ(plan.samples_of(5), 2U);
  EXPECT_EQ(plan.epoch_of(2), 0U);
  EXPECT_EQ(plan.epoch_of(3), 1U);
}

TEST(EpochPlan, LargeCountsDoNotOverflow) {
  constexpr std::uint64_t huge = 0xffff'ffff'ffff'fff0ULL;
  constexpr EpochPlan plan{.samples = huge, .batch = huge - 1};
  EXPECT_EQ(plan.batches_per_epoch(), 2U);
  EXPECT_EQ(plan.samples_of(1), 1U);
}

class EverySample : public testing::TestWithParam<std::pair<std::uint64_t, std::uint64_t>> {};

TEST_P(EverySample, ComesOnceAnEpoch) {
  const auto [samples, batch] = GetParam();
  const EpochPlan plan{.samples = samples, .batch = batch, .seed = 3};
  SampleOrder order(plan);
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> seen;
    for (std::uint64_t b = 0; b < plan.batches_per_epoch(); ++b) {
      const std::uint64_t item = epoch * plan.batches_per_epoch() + b;
      EXPECT_EQ(plan.epoch_of(item), epoch);
      const std::vector<std::int64_t> indices = samples_of(order, item);
      EXPECT_EQ(indices.size(), plan.samples_of(item));
      EXPECT_GE(indices.size(), 1U);
      EXPECT_LE(indices.size(), batch);
      seen.insert(seen.end(), indices.begin(), indices.end());
    }
    std::ranges::sort(seen);
    std::vector<std::int64_t> expected(samples);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(seen, expected) << "epoch " << epoch;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, EverySample,
                         testing::Values(std::pair{1, 1}, std::pair{2, 1}, std::pair{2, 2}, std::pair{7, 3},
                                         std::pair{13, 13}, std::pair{64, 64}, std::pair{65, 64}, std::pair{97, 10},
                                         std::pair{101, 7}, std::pair{1000, 1}, std::pair{1009, 31},
                                         std::pair{4096, 64}, std::pair{10'007, 128}));

TEST(SampleOrder, FollowsFromSeedAndEpochAlone) {
  const EpochPlan plan{.samples = 100, .batch = 10, .seed = 5};
  SampleOrder forwards(plan);
  SampleOrder jumping(plan);
  std::vector<std::vector<std::int64_t>> in_order;
  for (std::uint64_t item = 0; item < 30; ++item) in_order.push_back(samples_of(forwards, item));
  for (const std::uint64_t item : {25U, 3U, 14U, 29U, 0U, 10U}) {
    EXPECT_EQ(samples_of(jumping, item), in_order[item]) << item;
  }
}

TEST(SampleOrder, DiffersFromEpochToEpochAndFromSeedToSeed) {
  const auto first_epoch = [](std::uint64_t seed, std::uint64_t epoch) {
    SampleOrder order({.samples = 100, .batch = 100, .seed = seed});
    return samples_of(order, epoch);
  };
  const std::set<std::vector<std::int64_t>> orders = {first_epoch(1, 0), first_epoch(1, 1), first_epoch(1, 2),
                                                      first_epoch(2, 0), first_epoch(2, 1)};
  EXPECT_EQ(orders.size(), 5U);
}

}  // namespace
}  // namespace feral
