#include "workers/ledger.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "tests/support/messages.hpp"
#include "tests/support/shared_memory.hpp"

namespace feral {
namespace {

using shm::Owner;
using shm::SlotClaim;
using shm::SlotRing;

constexpr Owner somebody{0, 0};

// A ring with its ledger; each batch's loss is its number plus one.
struct Books {
  Books(const EpochPlan& p, std::uint32_t slots, std::uint64_t epochs)
      : plan(p),
        items(p.batches_per_epoch() * epochs),
        ring_memory(SlotRing::size_bytes(slots)),
        ledger_memory(Ledger::size_bytes(slots, epochs)),
        ring(SlotRing::create(ring_memory.bytes(), slots, items)),
        ledger(ledger_memory.bytes(), p, slots, epochs) {}

  static double loss_of(std::uint64_t item) { return static_cast<double>(item + 1); }

  void fill() {
    while (const auto claim = ring.try_claim(somebody)) ring.publish(*claim);
  }
  void record(const SlotClaim& claim) { ledger.record(claim, plan.samples_of(claim.item), loss_of(claim.item)); }
  // Takes a batch, records and finishes it.
  void train_one() {
    const auto claim = ring.try_take(somebody);
    ASSERT_TRUE(claim);
    record(*claim);
    ring.finish(*claim);
  }

  // What an epoch's totals must be when exactly the items in `done` are done.
  EpochTotals expected(std::uint64_t epoch, const std::map<std::uint64_t, bool>& done) const {
    EpochTotals totals;
    for (const auto& [item, is_done] : done) {
      if (!is_done || plan.epoch_of(item) != epoch) continue;
      totals.samples += plan.samples_of(item);
      totals.loss_samples += plan.samples_of(item);
      totals.loss_sum += loss_of(item) * static_cast<double>(plan.samples_of(item));
    }
    return totals;
  }

  EpochPlan plan;
  std::uint64_t items;
  support::SharedMemory ring_memory;
  support::SharedMemory ledger_memory;
  SlotRing ring;
  Ledger ledger;
};

TEST(Ledger, StartsEmpty) {
  Books books({.samples = 10, .batch = 4}, 3, 2);
  EXPECT_EQ(books.ledger.totals(books.ring, 0).samples, 0U);
  EXPECT_EQ(books.ledger.totals(books.ring, 1).samples, 0U);
  EXPECT_EQ(books.ledger.totals(books.ring, 2).samples, 0U) << "there is no such epoch";
}

TEST(Ledger, NothingCountsBeforeItsBatchIsFinished) {
  Books books({.samples = 10, .batch = 4}, 3, 1);
  books.fill();
  const auto claim = books.ring.try_take(somebody);
  books.record(*claim);
  EXPECT_EQ(books.ledger.totals(books.ring, 0).samples, 0U);
  books.ring.finish(*claim);
  EXPECT_EQ(books.ledger.totals(books.ring, 0).samples, 4U);
}

TEST(Ledger, ALossThatIsNoNumberIsLeftOutOfTheMean) {
  Books books({.samples = 12, .batch = 4}, 2, 1);
  for (const double loss : {1.0, std::nan(""), 2.0}) {
    books.fill();
    const auto claim = books.ring.try_take(somebody);
    books.ledger.record(*claim, 4, loss);
    books.ring.finish(*claim);
  }
  const EpochTotals totals = books.ledger.totals(books.ring, 0);
  EXPECT_EQ(totals.samples, 12U);
  EXPECT_EQ(totals.loss_samples, 8U);
  EXPECT_EQ(totals.mean_loss(), 1.5);
}

TEST(Ledger, AWorkerThatDiesBetweenRecordAndFinishLeavesNoTrace) {
  Books books({.samples = 12, .batch = 4}, 1, 1);
  const Owner victim{1, 0};
  for (int batch = 0; batch < 3; ++batch) {
    books.fill();
    for (int deaths = 0; deaths < 3; ++deaths) {
      const auto claim = books.ring.try_take(victim);
      ASSERT_TRUE(claim);
      books.ledger.record(*claim, 1000, 1000);  // dies here
      EXPECT_EQ(books.ledger.totals(books.ring, 0).samples, 4U * static_cast<unsigned>(batch));
      ASSERT_EQ(books.ring.reclaim_worker(victim).size(), 1U);
    }
    books.train_one();
  }
  const EpochTotals totals = books.ledger.totals(books.ring, 0);
  EXPECT_EQ(totals.samples, 12U);
  EXPECT_DOUBLE_EQ(totals.loss_sum, 4 * (1 + 2 + 3));
}

TEST(Ledger, SlotsThatSkipEpochsOrHaveNoBatchAreRight) {
  // More slots than batches in an epoch, and more than in the whole job.
  for (const std::uint32_t slots : {1U, 2U, 5U, 7U, 40U}) {
    Books books({.samples = 10, .batch = 4}, slots, 6);
    while (!books.ring.all_done()) {
      books.fill();
      books.train_one();
    }
    for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
      const auto first = static_cast<double>(3 * epoch);
      const EpochTotals totals = books.ledger.totals(books.ring, epoch);
      EXPECT_EQ(totals.samples, 10U) << slots << " slots, epoch " << epoch;
      EXPECT_DOUBLE_EQ(totals.loss_sum, 4 * (first + 1) + 4 * (first + 2) + 2 * (first + 3));
    }
  }
}

TEST(Ledger, IsExactAtEveryMomentOfRandomRunsWithDeaths) {
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t samples = 1 + random() % 40;
    const std::uint64_t epochs = 1 + random() % 4;
    Books books({.samples = samples, .batch = 1 + random() % samples}, static_cast<std::uint32_t>(1 + random() % 9),
                epochs);
    std::map<std::uint64_t, bool> done;
    std::vector<std::pair<Owner, SlotClaim>> busy;
    std::uint16_t generation = 0;
    while (!books.ring.all_done()) {
      books.fill();
      const Owner owner{1, generation};
      switch (random() % 4) {
        case 0:
          if (const auto claim = books.ring.try_take(owner)) busy.emplace_back(owner, *claim);
          break;
        case 1:
        case 2: {
          if (busy.empty()) break;
          const std::size_t which = random() % busy.size();
          books.record(busy[which].second);
          books.ring.finish(busy[which].second);
          done[busy[which].second.item] = true;
          busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(which));
          break;
        }
        default:
          for (const auto& [holder, claim] : busy) {
            if (random() % 2 == 0) books.ledger.record(claim, 12345, -1);  // killed after recording
          }
          books.ring.reclaim_worker(owner);
          busy.clear();
          ++generation;
      }
      for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
        const EpochTotals totals = books.ledger.totals(books.ring, epoch);
        const EpochTotals expected = books.expected(epoch, done);
        ASSERT_EQ(totals.samples, expected.samples) << "round " << round << ", epoch " << epoch;
        ASSERT_DOUBLE_EQ(totals.loss_sum, expected.loss_sum);
        ASSERT_EQ(totals.loss_samples, expected.loss_samples);
      }
    }
    for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
      EXPECT_EQ(books.ledger.totals(books.ring, epoch).samples, samples);
    }
  }
}

TEST(Ledger, MemoryOfAnotherSizeIsRefused) {
  support::SharedMemory memory(Ledger::size_bytes(3, 2));
  const EpochPlan plan{.samples = 10, .batch = 4};
  EXPECT_TRUE(
      support::has(support::error_of([&] { Ledger(memory.bytes(), plan, 3, 33); }), {"3 slots", "33 epochs"}));
  EXPECT_TRUE(support::has(support::error_of([] { Ledger::size_bytes(4096, 1ULL << 60); }), {"overflow"}));
}

TEST(Ledger, GoesOnFromWhatIsRestored) {
  for (const std::uint32_t slots : {1U, 2U, 5U, 7U, 40U}) {
    const EpochPlan plan{.samples = 10, .batch = 4};
    Books first(plan, slots, 6);
    // At every point of the run another one goes on from there.
    for (std::uint64_t done = 0; done < first.items; ++done) {
      Books second(plan, slots, 6);
      std::vector<std::uint32_t> turns;
      for (std::uint32_t slot = 0; slot < slots; ++slot) turns.push_back(first.ring.turn(slot));
      second.ring.start_at(turns);
      for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
        second.ledger.restore(second.ring, epoch, first.ledger.totals(first.ring, epoch));
        const EpochTotals expected = first.ledger.totals(first.ring, epoch);
        EXPECT_EQ(second.ledger.totals(second.ring, epoch).samples, expected.samples);
        EXPECT_EQ(second.ledger.totals(second.ring, epoch).loss_sum, expected.loss_sum);
      }
      while (!second.ring.all_done()) {
        second.fill();
        second.train_one();
      }
      for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
        const auto start = static_cast<double>(3 * epoch);
        EXPECT_EQ(second.ledger.totals(second.ring, epoch).samples, 10U) << slots << " slots, epoch " << epoch;
        EXPECT_DOUBLE_EQ(second.ledger.totals(second.ring, epoch).loss_sum,
                         4 * (start + 1) + 4 * (start + 2) + 2 * (start + 3));
      }
      first.fill();
      first.train_one();
    }
  }
}

}  // namespace
}  // namespace feral
