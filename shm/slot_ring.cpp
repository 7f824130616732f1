#include "shm/slot_ring.hpp"

#include <algorithm>

#include "core/fail.hpp"

namespace feral::shm {
namespace {

constexpr std::uint64_t ring_magic = 0x676e6972'4c46ULL;

// word = turn:32 | generation:16 | owner index:14 | phase:2
constexpr std::uint64_t pack(std::uint32_t turn, SlotPhase phase, Owner owner = {}) {
  return (std::uint64_t{turn} << 32) | (std::uint64_t{owner.generation} << 16) | (std::uint64_t{owner.index} << 2) |
         static_cast<std::uint64_t>(phase);
}
constexpr std::uint32_t turn_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
constexpr SlotPhase phase_of(std::uint64_t word) { return static_cast<SlotPhase>(word & 3); }
constexpr Owner owner_of(std::uint64_t word) {
  return {static_cast<std::uint16_t>((word >> 2) & 0x3fff), static_cast<std::uint16_t>(word >> 16)};
}

// A slot's turn has 32 bits, and the one after its last must fit too.
bool turns_suffice(std::uint64_t item_count, std::uint32_t slot_count) {
  return item_count / slot_count < 0xffff'ffffULL;
}

}  // namespace

SlotRing::SlotRing(Header* header, Slot* slots) noexcept
    : header_(header), slots_(slots), slot_count_(header->slot_count), item_count_(header->item_count) {}

std::size_t SlotRing::size_bytes(std::uint32_t slot_count) {
  return checked_add(align_up(sizeof(Header), control_line_bytes), checked_multiply(slot_count, sizeof(Slot)));
}

SlotRing SlotRing::create(std::span<std::byte> memory, std::uint32_t slot_count, std::uint64_t item_count) {
  if (slot_count == 0 || slot_count > max_slots)
    fail("slot ring: {} slots, allowed are 1 to {}", slot_count, max_slots);
  if (memory.size() != size_bytes(slot_count)) {
    fail("slot ring: {} bytes for {} slots, expected {}", memory.size(), slot_count, size_bytes(slot_count));
  }
  if (!turns_suffice(item_count, slot_count)) fail("slot ring: {} batches are too many for one job", item_count);
  auto* header = new (memory.data()) Header{};
  header->item_count = item_count;
  header->slot_count = slot_count;
  header->magic = ring_magic;
  auto* slots = reinterpret_cast<Slot*>(memory.data() + align_up(sizeof(Header), control_line_bytes));
  for (std::uint32_t s = 0; s < slot_count; ++s) new (&slots[s]) Slot{};
  return SlotRing(header, slots);
}

void SlotRing::start_at(std::span<const std::uint32_t> turns) {
  if (turns.size() != slot_count_) fail("slot ring: {} turns for {} slots", turns.size(), slot_count_);
  for (std::uint32_t s = 0; s < slot_count_; ++s) {
    if (turns[s] != 0 && (std::uint64_t{turns[s]} - 1) * slot_count_ + s >= item_count_) {
      fail("slot ring: turn {} of slot {} lies beyond the last of {} batches", turns[s], s, item_count_);
    }
  }
  for (std::uint32_t s = 0; s < slot_count_; ++s) {
    slots_[s].word.store(pack(turns[s], SlotPhase::free), std::memory_order_release);
  }
}

SlotRing SlotRing::attach(std::span<std::byte> memory) {
  if (memory.size() < sizeof(Header)) fail("slot ring: {} bytes are too few", memory.size());
  auto* header = reinterpret_cast<Header*>(memory.data());
  if (header->magic != ring_magic || header->slot_count == 0 || header->slot_count > max_slots ||
      memory.size() != size_bytes(header->slot_count) || !turns_suffice(header->item_count, header->slot_count)) {
    fail("slot ring: corrupt header");
  }
  return SlotRing(header, reinterpret_cast<Slot*>(memory.data() + align_up(sizeof(Header), control_line_bytes)));
}

std::uint64_t SlotRing::item_of(std::uint32_t slot, std::uint64_t word) const noexcept {
  return std::uint64_t{turn_of(word)} * slot_count_ + slot;
}

std::optional<SlotClaim> SlotRing::acquire(SlotPhase from, SlotPhase to, Owner owner) noexcept {
  for (;;) {
    // The smallest item first keeps batches in the order of the epoch, as far as they are there.
    std::uint64_t best_item = item_count_;
    std::uint64_t best_word = 0;
    std::uint32_t best_slot = 0;
    for (std::uint32_t s = 0; s < slot_count_; ++s) {
      const std::uint64_t word = slots_[s].word.load(std::memory_order_relaxed);
      if (phase_of(word) != from || item_of(s, word) >= best_item) continue;
      best_item = item_of(s, word);
      best_word = word;
      best_slot = s;
    }
    if (best_item == item_count_) return std::nullopt;
    const std::uint64_t held = pack(turn_of(best_word), to, owner);
    // Sequentially consistent for any(), which is read by whoever has asked owners to stop taking slots.
    if (slots_[best_slot].word.compare_exchange_strong(best_word, held, std::memory_order_seq_cst,
                                                       std::memory_order_relaxed)) {
      return SlotClaim{best_slot, turn_of(held), best_item, held};
    }
  }
}

std::optional<SlotClaim> SlotRing::try_claim(Owner loader) noexcept {
  return acquire(SlotPhase::free, SlotPhase::filling, loader);
}

std::optional<SlotClaim> SlotRing::try_take(Owner worker) noexcept {
  return acquire(SlotPhase::ready, SlotPhase::busy, worker);
}

std::optional<SlotClaim> SlotRing::try_take_item(Owner worker, std::uint64_t item) noexcept {
  const auto slot = static_cast<std::uint32_t>(item % slot_count_);
  const auto turn = static_cast<std::uint32_t>(item / slot_count_);
  std::uint64_t expected = pack(turn, SlotPhase::ready);
  const std::uint64_t held = pack(turn, SlotPhase::busy, worker);
  if (!slots_[slot].word.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
    return std::nullopt;
  }
  return SlotClaim{slot, turn, item, held};
}

void SlotRing::publish(const SlotClaim& claim) noexcept {
  std::uint64_t expected = claim.word;
  const bool moved = slots_[claim.slot].word.compare_exchange_strong(
      expected, pack(claim.turn, SlotPhase::ready), std::memory_order_release, std::memory_order_relaxed);
  FERAL_ASSERT(moved);  // only a living owner calls this, and only dead owners are reclaimed
  header_->ready.notify();
}

void SlotRing::finish(const SlotClaim& claim) noexcept {
  std::uint64_t expected = claim.word;
  const bool moved = slots_[claim.slot].word.compare_exchange_strong(
      expected, pack(claim.turn + 1, SlotPhase::free), std::memory_order_release, std::memory_order_relaxed);
  FERAL_ASSERT(moved);
  header_->free.notify();
}

void SlotRing::put_back(const SlotClaim& claim) noexcept {
  std::uint64_t expected = claim.word;
  const bool moved = slots_[claim.slot].word.compare_exchange_strong(
      expected, pack(claim.turn, SlotPhase::ready), std::memory_order_release, std::memory_order_relaxed);
  FERAL_ASSERT(moved);
  header_->ready.notify();
}

std::vector<std::uint64_t> SlotRing::reclaim(SlotPhase held, SlotPhase back, Owner owner) noexcept {
  std::vector<std::uint64_t> items;
  for (std::uint32_t s = 0; s < slot_count_; ++s) {
    std::uint64_t word = slots_[s].word.load(std::memory_order_acquire);
    if (phase_of(word) != held || owner_of(word) != owner) continue;
    if (slots_[s].word.compare_exchange_strong(word, pack(turn_of(word), back), std::memory_order_acq_rel)) {
      items.push_back(item_of(s, word));
    }
  }
  notify_all();
  return items;
}

std::vector<std::uint64_t> SlotRing::reclaim_loader(Owner loader) noexcept {
  return reclaim(SlotPhase::filling, SlotPhase::free, loader);
}

std::vector<std::uint64_t> SlotRing::reclaim_worker(Owner worker) noexcept {
  return reclaim(SlotPhase::busy, SlotPhase::ready, worker);
}

std::uint64_t SlotRing::low_water() const noexcept {
  std::uint64_t lowest = item_count_;
  for (std::uint32_t s = 0; s < slot_count_; ++s) {
    lowest = std::min(lowest, item_of(s, slots_[s].word.load(std::memory_order_acquire)));
  }
  return lowest;
}

std::uint64_t SlotRing::done_count() const noexcept {
  std::uint64_t done = 0;
  for (std::uint32_t s = 0; s < slot_count_; ++s) done += turn(s);
  return done;
}

bool SlotRing::is_done(std::uint64_t item) const noexcept {
  return turn(static_cast<std::uint32_t>(item % slot_count_)) > item / slot_count_;
}

std::uint32_t SlotRing::turn(std::uint32_t slot) const noexcept {
  return turn_of(slots_[slot].word.load(std::memory_order_acquire));
}

SlotPhase SlotRing::phase(std::uint32_t slot) const noexcept {
  return phase_of(slots_[slot].word.load(std::memory_order_acquire));
}

bool SlotRing::any(SlotPhase wanted) const noexcept {
  for (std::uint32_t s = 0; s < slot_count_; ++s) {
    if (phase_of(slots_[s].word.load(std::memory_order_seq_cst)) == wanted) return true;
  }
  return false;
}

void SlotRing::notify_all() noexcept {
  header_->ready.notify_after_death();
  header_->free.notify_after_death();
}

}  // namespace feral::shm
