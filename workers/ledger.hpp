// The ledger: how many samples of each epoch were trained on, and their loss, exact whoever dies.
//
// Each slot of the ring keeps its own account, written only by the worker that holds the slot, in two copies. The
// copy that counts is the one that the slot's turn points at: a worker writes the other copy and then finishes its
// batch, and that one compare-and-swap commits both. A worker killed before it leaves the old copy in force;
// whoever redoes the batch writes the new one again.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "shm/slot_ring.hpp"
#include "workers/epoch_plan.hpp"

namespace feral {

struct EpochTotals {
  std::uint64_t samples = 0;
  double loss_sum = 0;             // of the batches' mean losses, each times its samples
  std::uint64_t loss_samples = 0;  // those samples; not of batches whose loss was no number
  double mean_loss() const noexcept { return loss_sum / static_cast<double>(loss_samples); }
};

class Ledger {
 public:
  // Bytes of shared memory; all-zero bytes are an empty ledger.
  static std::size_t size_bytes(std::uint32_t slots, std::uint64_t epochs);

  // Throws feral::Error when `memory` has another size.
  Ledger(std::span<std::byte> memory, const EpochPlan& plan, std::uint32_t slots, std::uint64_t epochs);

  // Worker holding `claim`, before ring.finish(claim): its batch was trained on. A loss that is no number is left
  // out of the sum.
  void record(const shm::SlotClaim& claim, std::uint64_t samples, double mean_loss) noexcept;

  // Launcher, before any child attaches, with the ring at the position that the job goes on from: what had been
  // committed of an epoch by then.
  void restore(const shm::SlotRing& ring, std::uint64_t epoch, const EpochTotals& totals) noexcept;

  // What is committed of an epoch. Any process, at any time; exact once the epoch is done.
  EpochTotals totals(const shm::SlotRing& ring, std::uint64_t epoch) const noexcept;

 private:
  // Written by the holder of the slot, relaxed; made visible by finish() (release) and turn() (acquire). A reader
  // that is overtaken by two turns may mix two states, and only then.
  struct Entry {
    std::atomic<std::uint64_t> samples;
    std::atomic<double> loss_sum;
    std::atomic<std::uint64_t> loss_samples;
  };
  Entry& entry(std::uint32_t slot, std::uint64_t epoch, std::uint32_t turn) const noexcept;

  Entry* committed(const shm::SlotRing& ring, std::uint32_t slot, std::uint64_t epoch) const noexcept;

  // Of one slot: two entries an epoch, on lines of its own.
  static std::size_t account_bytes(std::uint64_t epochs);

  std::byte* accounts_;
  EpochPlan plan_;
  std::uint32_t slots_;
  std::uint64_t epochs_;
};

}  // namespace feral
