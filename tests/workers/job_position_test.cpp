#include "workers/job_position.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace feral {
namespace {

// Turns as a ring may have them, some slots far ahead of others.
JobPosition random_position(std::mt19937_64& random, std::uint32_t slots, std::uint64_t items) {
  JobPosition position;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const std::uint64_t most = items > slot ? (items - slot + slots - 1) / slots : 0;
    position.turns.push_back(static_cast<std::uint32_t>(random() % (most + 1)));
  }
  return position;
}

std::set<std::uint64_t> done_items(const JobPosition& position, std::uint64_t items) {
  std::set<std::uint64_t> done;
  for (std::uint64_t item = 0; item < items; ++item) {
    if (position.has_done(item)) done.insert(item);
  }
  return done;
}

TEST(JobPosition, AnswersAsTheSetOfDoneBatchesDoes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const EpochPlan plan{.samples = 1 + random() % 30, .batch = 1 + random() % 7};
    const std::uint64_t epochs = 1 + random() % 4;
    const std::uint64_t items = plan.batches_per_epoch() * epochs;
    const JobPosition position = random_position(random, 1 + random() % 9, items);
    const std::set<std::uint64_t> done = done_items(position, items);
    EXPECT_EQ(position.done_count(), done.size());
    EXPECT_EQ(position.end(), done.empty() ? 0 : *done.rbegin() + 1);
    for (std::uint64_t item = 0; item < std::min(position.low_water(), items); ++item)
      EXPECT_TRUE(done.contains(item));
    for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
      std::uint64_t samples = 0;
      for (const std::uint64_t item : done) samples += plan.epoch_of(item) == epoch ? plan.samples_of(item) : 0;
      EXPECT_EQ(position.samples_done(plan, epoch), samples);
    }
  }
}

TEST(JobPosition, ForOtherSlotsItCountsNothingAsDoneThatIsNot) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t items = 1 + random() % 60;
    const JobPosition position = random_position(random, 1 + random() % 9, items);
    const auto slots = static_cast<std::uint32_t>(1 + random() % 9);
    const JobPosition other = position_for(position, slots);
    ASSERT_EQ(other.turns.size(), slots);
    const std::set<std::uint64_t> before = done_items(position, items);
    const std::set<std::uint64_t> after = done_items(other, items);
    EXPECT_TRUE(std::ranges::includes(before, after));
    EXPECT_EQ(other.done_count(), after.size()) << "none beyond the last";
    for (std::uint64_t item = 0; item < std::min(position.low_water(), items); ++item)
      EXPECT_TRUE(after.contains(item)) << "all below the low-water mark stay done";
    if (slots == position.turns.size()) {
      EXPECT_EQ(other.turns, position.turns);
    }
  }
}

}  // namespace
}  // namespace feral
