// The slots of the ring as tensors, made once: whole batches, and the shorter ones that end an epoch.
#pragma once

#include <vector>

#include "workers/job_arena.hpp"

namespace feral {

class SlotBatches {
 public:
  explicit SlotBatches(JobArena& arena) : plan_(arena.job().plan) {
    const auto rest = static_cast<std::int64_t>(plan_.samples % plan_.batch);
    for (std::uint32_t slot = 0; slot < arena.job().slots; ++slot) {
      std::byte* memory = arena.slot_memory(slot);
      whole_.emplace_back(arena.batch_layout(), memory, arena.batch_layout().capacity());
      if (rest != 0) last_.emplace_back(arena.batch_layout(), memory, rest);
    }
  }

  // What lies in the slot of a claim; for its holder.
  const data::Batch& get(const shm::SlotClaim& claim) const {
    return plan_.samples_of(claim.item) == plan_.batch ? whole_[claim.slot] : last_[claim.slot];
  }

 private:
  EpochPlan plan_;
  std::vector<data::Batch> whole_;
  std::vector<data::Batch> last_;
};

}  // namespace feral
