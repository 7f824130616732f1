#include "workers/ledger.hpp"

#include <algorithm>
#include <cmath>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {

static_assert(std::atomic<double>::is_always_lock_free);

std::size_t Ledger::account_bytes(std::uint64_t epochs) {
  return align_up(checked_multiply(epochs, 2 * sizeof(Entry)), control_line_bytes);
}

std::size_t Ledger::size_bytes(std::uint32_t slots, std::uint64_t epochs) {
  return checked_multiply(slots, account_bytes(epochs));
}

Ledger::Ledger(std::span<std::byte> memory, const EpochPlan& plan, std::uint32_t slots, std::uint64_t epochs)
    : accounts_(memory.data()), plan_(plan), slots_(slots), epochs_(epochs) {
  if (memory.size() != size_bytes(slots, epochs)) {
    fail("ledger: {} bytes for {} slots and {} epochs", memory.size(), slots, epochs);
  }
}

Ledger::Entry& Ledger::entry(std::uint32_t slot, std::uint64_t epoch, std::uint32_t turn) const noexcept {
  auto* account = reinterpret_cast<Entry*>(accounts_ + slot * account_bytes(epochs_));
  return account[epoch * 2 + (turn & 1U)];
}

void Ledger::record(const shm::SlotClaim& claim, std::uint64_t samples, double mean_loss) noexcept {
  const std::uint64_t epoch = plan_.epoch_of(claim.item);
  const bool first_of_epoch = claim.turn == 0 || plan_.epoch_of(claim.item - slots_) != epoch;
  const Entry& before = entry(claim.slot, epoch, claim.turn);
  Entry& after = entry(claim.slot, epoch, claim.turn + 1);
  const std::uint64_t samples_before = first_of_epoch ? 0 : before.samples.load(std::memory_order_relaxed);
  const std::uint64_t counted_before = first_of_epoch ? 0 : before.loss_samples.load(std::memory_order_relaxed);
  const double loss_before = first_of_epoch ? 0 : before.loss_sum.load(std::memory_order_relaxed);
  after.samples.store(samples_before + samples, std::memory_order_relaxed);
  const bool number = std::isfinite(mean_loss);
  after.loss_sum.store(loss_before + (number ? mean_loss * static_cast<double>(samples) : 0),
                       std::memory_order_relaxed);
  after.loss_samples.store(counted_before + (number ? samples : 0), std::memory_order_relaxed);
}

// The entry that counts of a slot in an epoch; none while none of its batches there is done.
Ledger::Entry* Ledger::committed(const shm::SlotRing& ring, std::uint32_t slot,
                                 std::uint64_t epoch) const noexcept {
  const std::uint64_t first_item = epoch * plan_.batches_per_epoch();
  const std::uint64_t end_item = first_item + plan_.batches_per_epoch();
  if (end_item <= slot) return nullptr;
  // How many turns of this slot lie before the end of the epoch, and how many of them are done.
  const std::uint64_t turns = (end_item - slot + slots_ - 1) / slots_;
  const auto done = static_cast<std::uint32_t>(std::min<std::uint64_t>(turns, ring.turn(slot)));
  if (done == 0 || (std::uint64_t{done} - 1) * slots_ + slot < first_item) return nullptr;
  return &entry(slot, epoch, done);
}

EpochTotals Ledger::totals(const shm::SlotRing& ring, std::uint64_t epoch) const noexcept {
  EpochTotals totals;
  if (epoch >= epochs_) return totals;
  for (std::uint32_t slot = 0; slot < slots_; ++slot) {
    const Entry* counts = committed(ring, slot, epoch);
    if (counts == nullptr) continue;
    totals.samples += counts->samples.load(std::memory_order_relaxed);
    totals.loss_samples += counts->loss_samples.load(std::memory_order_relaxed);
    totals.loss_sum += counts->loss_sum.load(std::memory_order_relaxed);
  }
  return totals;
}

void Ledger::restore(const shm::SlotRing& ring, std::uint64_t epoch, const EpochTotals& totals) noexcept {
  if (epoch >= epochs_) return;
  for (std::uint32_t slot = 0; slot < slots_; ++slot) {
    Entry* counts = committed(ring, slot, epoch);
    if (counts == nullptr) continue;
    counts->samples.store(totals.samples, std::memory_order_relaxed);  // one slot's account stands for all
    counts->loss_samples.store(totals.loss_samples, std::memory_order_relaxed);
    counts->loss_sum.store(totals.loss_sum, std::memory_order_relaxed);
    return;
  }
}

}  // namespace feral
