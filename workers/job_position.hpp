// How far a job is: which batches are done, as the ring knows it, to be kept and taken up again.
#pragma once

#include <cstdint>
#include <vector>

#include "shm/slot_ring.hpp"
#include "workers/epoch_plan.hpp"

namespace feral {

// The turns of all slots of a ring: of slot s the batches s, s + slots, … are done as far as its turn. A worker
// that is stuck does not hold the other slots up, so no number of batches describes it all.
struct JobPosition {
  std::vector<std::uint32_t> turns;

  bool has_done(std::uint64_t item) const noexcept { return item / turns.size() < turns[item % turns.size()]; }
  std::uint64_t done_count() const noexcept;
  std::uint64_t low_water() const noexcept;  // all batches below are done
  std::uint64_t end() const noexcept;        // no batch from here on is done
  // Samples of the batches that are done of an epoch.
  std::uint64_t samples_done(const EpochPlan& plan, std::uint64_t epoch) const noexcept;
};

// Of a ring that may be in use: every batch in it is done; one that ends meanwhile may be missing.
JobPosition position_of(const shm::SlotRing& ring);

// The same position for a ring of `slots` slots. Where slots differ, a batch that is done may stand in its slot
// behind one that is not: it counts as not done.
JobPosition position_for(const JobPosition& position, std::uint32_t slots);

}  // namespace feral
