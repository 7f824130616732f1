// The slot ring between real processes that are killed at random.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <vector>

#include "shm/slot_ring.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/shared_memory.hpp"

namespace feral::shm {
namespace {

using std::chrono::milliseconds;
using support::eventually;
using support::Forked;
using support::SharedMemory;

constexpr std::uint32_t slots = 7;
constexpr std::uint64_t items = 500'000;
constexpr int loaders = 2;
constexpr int workers = 3;
constexpr milliseconds longest_wait{100};

// Shared by all processes of the test.
struct Table {
  // What the slots carry: the loader writes the item's number, the worker checks it. Plain words: the ring orders
  // them.
  struct alignas(control_line_bytes) Cargo {
    std::uint64_t item;
  } cargo[slots];
  std::atomic<std::uint64_t> wrong_cargo;
  std::atomic<std::uint32_t> handled[items];
};

class Fire {
 public:
  Fire()
      : ring_memory_(SlotRing::size_bytes(slots)),
        table_memory_(sizeof(Table)),
        ring_(SlotRing::create(ring_memory_.bytes(), slots, items)),
        table_(new (table_memory_.bytes().data()) Table{}) {
    for (int i = 0; i < loaders; ++i)
      members_.push_back({.loads = true, .owner = {static_cast<std::uint16_t>(i), 0}});
    for (int i = 0; i < workers; ++i)
      members_.push_back({.loads = false, .owner = {static_cast<std::uint16_t>(i), 0}});
    for (Member& member : members_) start(member);
  }

  // Kills one, gives back what it held and starts its replacement, as the launcher does.
  void kill(std::size_t index) {
    Member& member = members_[index];
    member.process->kill();
    const std::vector<std::uint64_t> back =
        member.loads ? ring_.reclaim_loader(member.owner) : ring_.reclaim_worker(member.owner);
    EXPECT_LE(back.size(), 1U) << "a process holds one slot at a time";
    if (!member.loads) redone_.insert(redone_.end(), back.begin(), back.end());
    ring_.notify_all();
    ++member.owner.generation;
    start(member);
    ++kills_;
  }

  void expect_all_end_well() {
    for (Member& member : members_) EXPECT_EQ(member.process->wait(), 0);
  }

  SlotRing& ring() { return ring_; }
  Table& table() { return *table_; }
  int kills() const { return kills_; }
  // The items that workers held when they were killed.
  const std::vector<std::uint64_t>& redone() const { return redone_; }

 private:
  struct Member {
    bool loads;
    Owner owner;
    std::unique_ptr<Forked> process = nullptr;
  };

  void start(Member& member) {
    member.process = std::make_unique<Forked>([&] {
      member.loads ? load(member.owner) : work(member.owner);
      return 0;
    });
  }

  void load(Owner owner) {
    while (!ring_.all_done()) {
      const std::uint32_t key = ring_.free_event().key();
      if (const auto claim = ring_.try_claim(owner)) {
        table_->cargo[claim->slot].item = claim->item;
        ring_.publish(*claim);
      } else if (!ring_.all_done()) {
        ring_.free_event().wait(key, 20, longest_wait);
      }
    }
    ring_.notify_all();
  }

  void work(Owner owner) {
    while (!ring_.all_done()) {
      const std::uint32_t key = ring_.ready_event().key();
      if (const auto claim = ring_.try_take(owner)) {
        if (table_->cargo[claim->slot].item != claim->item) ++table_->wrong_cargo;
        table_->handled[claim->item].fetch_add(1, std::memory_order_relaxed);
        ring_.finish(*claim);
      } else if (!ring_.all_done()) {
        ring_.ready_event().wait(key, 20, longest_wait);
      }
    }
    ring_.notify_all();
  }

  SharedMemory ring_memory_;
  SharedMemory table_memory_;
  SlotRing ring_;
  Table* table_;
  std::vector<Member> members_;
  std::vector<std::uint64_t> redone_;
  int kills_ = 0;
};

TEST(SlotRingUnderFire, EveryItemIsHandledAndOnlyThoseOfDeadWorkersTwice) {
  Fire fire;
  std::mt19937 random(11);
  // Some progress between one kill and the next: the last of them fall near the end.
  constexpr std::uint64_t longest_step = 1200;
  while (fire.ring().done_count() + longest_step < items) {
    const std::uint64_t next = fire.ring().done_count() + random() % longest_step;
    ASSERT_TRUE(eventually([&] { return fire.ring().done_count() >= next; })) << "stuck after " << fire.kills();
    fire.kill(random() % (loaders + workers));
  }
  ASSERT_TRUE(eventually([&] { return fire.ring().all_done(); })) << "stuck after " << fire.kills() << " kills";
  fire.expect_all_end_well();

  EXPECT_EQ(fire.table().wrong_cargo.load(), 0U) << "a worker saw a slot that was not filled for its item";
  std::vector<std::uint32_t> allowed(items, 1);
  for (const std::uint64_t item : fire.redone()) ++allowed[item];
  std::uint64_t wrong = 0;
  for (std::uint64_t item = 0; item < items; ++item) {
    const std::uint32_t handled = fire.table().handled[item].load();
    // A worker may have been killed between taking an item and handling it.
    if (handled < 1 || handled > allowed[item]) ++wrong;
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(fire.kills(), 20);
}

}  // namespace
}  // namespace feral::shm
