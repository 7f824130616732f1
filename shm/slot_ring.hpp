// The slot ring: how batches travel from loaders to workers, and the ledger of which batches are done.
//
// Items (batches) are numbered 0 .. item_count-1 over the whole job. With S slots, slot s carries the items
// s, s+S, s+2S, … one after the other: its word holds the turn (which of them it is at), the phase and the owner.
//
//      free(t) ──claim──▶ filling(t, loader) ──publish──▶ ready(t) ──take──▶ busy(t, worker) ──finish──▶ free(t+1)
//        ▲                      │                           ▲                      │
//        └───── reclaim ────────┘                           └────── reclaim ───────┘
//
// (A worker that is to pause before it has begun puts its batch back by the same arrow as reclaim.)
//
// Each arrow is one compare-and-swap on that word, so a process killed between any two instructions leaves the slot
// in one of these states, and the launcher's reclaim moves a dead owner's slot back. An item can be neither lost
// nor skipped: it is done exactly when its slot's turn has moved past it. Nobody holds a lock; while one owner is
// stuck the other slots go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/sizes.hpp"
#include "shm/event_count.hpp"

namespace feral::shm {

// Who holds a slot: the process's index within its role and how often that index has been started anew.
struct Owner {
  std::uint16_t index = 0;  // below SlotRing::max_owners
  std::uint16_t generation = 0;
  friend bool operator==(const Owner&, const Owner&) = default;
};

enum class SlotPhase : std::uint8_t { free = 0, filling = 1, ready = 2, busy = 3 };

// A slot in somebody's hands.
struct SlotClaim {
  std::uint32_t slot = 0;
  std::uint32_t turn = 0;
  std::uint64_t item = 0;
  std::uint64_t word = 0;  // what the slot's word must still be when the claim ends
};

class SlotRing {
 public:
  static constexpr std::uint32_t max_slots = 4096;
  static constexpr std::uint32_t max_owners = 1U << 14;

  // Bytes of shared memory for `slot_count` slots.
  static std::size_t size_bytes(std::uint32_t slot_count);

  // Lays a ring down in zeroed memory of size_bytes(slot_count). Launcher only, before anybody attaches.
  static SlotRing create(std::span<std::byte> memory, std::uint32_t slot_count, std::uint64_t item_count);

  // Launcher, between create() and the first process that attaches: slot s begins at turn `turns[s]`, and the items
  // of its turns below are done. Throws feral::Error when that is another number of slots, or beyond the last item.
  void start_at(std::span<const std::uint32_t> turns);

  // Uses a ring that was laid down; throws feral::Error when the memory does not hold one.
  static SlotRing attach(std::span<std::byte> memory);

  std::uint32_t slot_count() const noexcept { return slot_count_; }
  std::uint64_t item_count() const noexcept { return item_count_; }

  // Loader: claims the free slot whose item has the smallest number; nothing when no slot is free or all items
  // have been handed out.
  std::optional<SlotClaim> try_claim(Owner loader) noexcept;
  // Loader: hands a filled slot over and wakes workers.
  void publish(const SlotClaim& claim) noexcept;

  // Worker: takes the ready slot with the smallest item number, or nothing.
  std::optional<SlotClaim> try_take(Owner worker) noexcept;
  // Worker: takes that item, or nothing while it is not ready (or no longer). `item` < item_count().
  std::optional<SlotClaim> try_take_item(Owner worker, std::uint64_t item) noexcept;
  // Worker: its item is done. Moves the slot to its next turn and wakes loaders.
  void finish(const SlotClaim& claim) noexcept;

  // Worker: has not begun with its item; it is ready again.
  void put_back(const SlotClaim& claim) noexcept;

  // Launcher: gives back what a dead loader or worker held; returns the items. The owner must be gone for good.
  std::vector<std::uint64_t> reclaim_loader(Owner loader) noexcept;
  std::vector<std::uint64_t> reclaim_worker(Owner worker) noexcept;

  // All items below this number are done.
  std::uint64_t low_water() const noexcept;
  // How many items are done.
  std::uint64_t done_count() const noexcept;
  bool is_done(std::uint64_t item) const noexcept;
  bool all_done() const noexcept { return done_count() == item_count_; }

  // The turn and phase of a slot at this moment. Turns below the returned one are done.
  std::uint32_t turn(std::uint32_t slot) const noexcept;
  SlotPhase phase(std::uint32_t slot) const noexcept;

  // Whether a slot is in that phase. Each is looked at once, sequentially consistent like the claims: whoever
  // writes a word so and then finds no slot held, knows that later owners see the word.
  bool any(SlotPhase phase) const noexcept;

  // Notified when a slot became ready (workers wait here) and when one became free (loaders).
  EventCount& ready_event() noexcept { return header_->ready; }
  EventCount& free_event() noexcept { return header_->free; }

  // Wakes everybody, after a death or a stop request.
  void notify_all() noexcept;

 private:
  struct Header {
    std::uint64_t magic;       // written once by create()
    std::uint64_t item_count;  // likewise
    std::uint32_t slot_count;  // likewise
    EventCount ready;
    EventCount free;
  };
  // Read and changed by loaders, workers and the launcher, by compare-and-swap alone. Moves into a process's hands
  // acquire, moves out of them release, so that the slot's data is seen by whoever takes it next.
  struct alignas(control_line_bytes) Slot {
    std::atomic<std::uint64_t> word;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  SlotRing(Header* header, Slot* slots) noexcept;
  std::uint64_t item_of(std::uint32_t slot, std::uint64_t word) const noexcept;
  std::optional<SlotClaim> acquire(SlotPhase from, SlotPhase to, Owner owner) noexcept;
  std::vector<std::uint64_t> reclaim(SlotPhase held, SlotPhase back, Owner owner) noexcept;

  Header* header_;
  Slot* slots_;
  std::uint32_t slot_count_;
  std::uint64_t item_count_;
};

}  // namespace feral::shm
