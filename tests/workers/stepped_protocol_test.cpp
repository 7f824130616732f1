// The protocol of slots and ledger, stepped instruction by instruction (ptrace): whatever process is killed after
// whichever instruction, the others can go on and the totals stay exact.
//
// A stopped process has written all that its instructions so far have written, so a copy of the shared memory at
// that moment is what a kill there would leave; each copy is brought to its end by processes that live.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "shm/owner_lock.hpp"
#include "tests/support/shared_memory.hpp"
#include "tests/support/stepped.hpp"
#include "workers/ledger.hpp"

#ifdef FERAL_TEST_CAN_STEP

namespace feral {
namespace {

using shm::Owner;
using shm::SlotClaim;
using shm::SlotRing;
using support::Stepped;

constexpr EpochPlan plan{.samples = 10, .batch = 4};  // batches of 4, 4 and 2
constexpr std::uint64_t epochs = 2;
constexpr std::uint64_t items = 6;
constexpr Owner survivor{9, 1};

// What the batch's loss is, by who trained on it.
double loss_of_victim(std::uint64_t item) { return static_cast<double>(1 + item); }
double loss_of_survivor(std::uint64_t item) { return static_cast<double>(1000 + item); }

// Ring and ledger of a job in memory that processes share.
struct Job {
  explicit Job(std::uint32_t slot_count)
      : slots(slot_count),
        ring_memory(SlotRing::size_bytes(slots)),
        ledger_memory(Ledger::size_bytes(slots, epochs)),
        ring(SlotRing::create(ring_memory.bytes(), slots, items)),
        ledger(ledger_memory.bytes(), plan, slots, epochs) {}

  void take_over(const Job& other) const {
    std::memcpy(ring_memory.bytes().data(), other.ring_memory.bytes().data(), ring_memory.bytes().size());
    std::memcpy(ledger_memory.bytes().data(), other.ledger_memory.bytes().data(), ledger_memory.bytes().size());
  }

  bool load_one(Owner owner) {
    const auto claim = ring.try_claim(owner);
    if (claim) ring.publish(*claim);
    return claim.has_value();
  }
  bool train_one(Owner owner, double (*loss)(std::uint64_t)) {
    const auto claim = ring.try_take(owner);
    if (!claim) return false;
    ledger.record(*claim, plan.samples_of(claim->item), loss(claim->item));
    ring.finish(*claim);
    return true;
  }

  std::uint32_t slots;
  support::SharedMemory ring_memory;
  support::SharedMemory ledger_memory;
  SlotRing ring;
  Ledger ledger;
};

struct Victim {
  Owner owner;
  bool loads = false;
};

// Takes a copy of the job at this moment, in which all the victims are dead, and has survivors end it.
void end_without(const std::vector<Victim>& victims, const Job& stopped, Job& copy) {
  copy.take_over(stopped);
  double expected[epochs] = {};
  std::uint64_t done = 0;
  for (std::uint64_t item = 0; item < items; ++item) {
    const bool by_victim = copy.ring.turn(static_cast<std::uint32_t>(item % copy.slots)) > item / copy.slots;
    done += by_victim ? 1 : 0;
    expected[plan.epoch_of(item)] +=
        (by_victim ? loss_of_victim(item) : loss_of_survivor(item)) * static_cast<double>(plan.samples_of(item));
  }
  ASSERT_EQ(copy.ring.done_count(), done);
  for (const Victim& victim : victims) {
    const std::size_t back = victim.loads ? copy.ring.reclaim_loader(victim.owner).size()
                                          : copy.ring.reclaim_worker(victim.owner).size();
    ASSERT_LE(back, 1U);
  }
  while (!copy.ring.all_done()) {
    const bool loaded = copy.load_one(survivor);
    const bool trained = copy.train_one(survivor, loss_of_survivor);
    ASSERT_TRUE(loaded || trained) << "a batch is held by nobody alive";
  }
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    const EpochTotals totals = copy.ledger.totals(copy.ring, epoch);
    ASSERT_EQ(totals.samples, plan.samples);
    ASSERT_EQ(totals.loss_sum, expected[epoch]);
  }
}

class SteppedProtocol : public testing::Test {
 protected:
  void SetUp() override {
    if (!support::stepping_is_allowed()) GTEST_SKIP() << "ptrace is not allowed here";
  }
};

TEST_F(SteppedProtocol, ALoaderAndAWorkerInOneLoseNothingAtAnyInstructionOfAWholeJob) {
  for (const std::uint32_t slots : {1U, 2U, 4U, 7U}) {
    Job job(slots);
    Job copy(slots);
    const Victim loader{{1, 3}, true};
    const Victim worker{{1, 3}, false};
    Stepped process([&] {
      while (!job.ring.all_done()) {
        job.load_one(loader.owner);
        job.train_one(worker.owner, loss_of_victim);
      }
      return 0;
    });
    int instructions = 0;
    do {
      end_without({loader, worker}, job, copy);
      if (HasFatalFailure()) FAIL() << slots << " slots, after " << instructions << " instructions";
      ++instructions;
    } while (process.step_anything());
    EXPECT_GT(instructions, 1000) << "the process was not stepped";
    EXPECT_EQ(process.wait(), 0);
  }
}

TEST_F(SteppedProtocol, LoadersAndWorkersLoseNothingAtAnyInstructionOfAnyOfThem) {
  std::mt19937 random(11);
  for (int round = 0; round < 6; ++round) {
    const std::uint32_t slots = 1 + random() % 5;
    Job job(slots);
    Job copy(slots);
    const std::vector<Victim> victims = {{{0, 0}, true}, {{1, 0}, true}, {{0, 0}, false}, {{1, 0}, false}};
    std::vector<std::unique_ptr<Stepped>> processes;
    for (const Victim& victim : victims) {
      processes.push_back(std::make_unique<Stepped>([&job, victim] {
        while (!job.ring.all_done()) {
          if (victim.loads) {
            job.load_one(victim.owner);
          } else {
            job.train_one(victim.owner, loss_of_victim);
          }
        }
        return 0;
      }));
    }
    int instructions = 0;
    while (!processes.empty()) {
      const std::size_t which = random() % processes.size();
      // Runs of random length, so that one meets the others in the middle of what they do.
      for (std::uint32_t left = 1 + random() % 40; left > 0; --left) {
        if (!processes[which]->step_anything()) {
          processes.erase(processes.begin() + static_cast<std::ptrdiff_t>(which));
          break;
        }
        ++instructions;
        end_without(victims, job, copy);
        if (HasFatalFailure()) FAIL() << "round " << round << ", after " << instructions << " instructions";
      }
    }
    EXPECT_GT(instructions, 1000) << "the processes were not stepped";
    for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
      EXPECT_EQ(job.ledger.totals(job.ring, epoch).samples, plan.samples);
    }
  }
}

TEST_F(SteppedProtocol, TheLockOfTheUpdatesIsFreeForOthersAfterADeathAtAnyInstruction) {
  const Owner victim{3, 2};
  const support::Shared<shm::OwnerLock> lock;
  const support::Shared<shm::OwnerLock> copy;
  Stepped process([&] {
    lock->lock(victim, std::chrono::milliseconds(100));
    lock->unlock(victim);
    return 0;
  });
  int held = 0;
  int instructions = 0;
  do {
    std::memcpy(static_cast<void*>(&*copy), static_cast<const void*>(&*lock), sizeof(shm::OwnerLock));
    const bool by_victim = copy->holder() == victim;
    held += by_victim ? 1 : 0;
    ASSERT_EQ(copy->try_lock(survivor), !by_victim);
    ASSERT_EQ(copy->release_dead(victim), by_victim);
    ASSERT_EQ(copy->try_lock(survivor), by_victim) << "after " << instructions << " instructions";
    copy->unlock(survivor);
    ++instructions;
  } while (process.step_anything());
  EXPECT_GT(held, 5);
  EXPECT_EQ(process.wait(), 0);
}

}  // namespace
}  // namespace feral

#endif
