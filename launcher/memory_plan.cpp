#include "launcher/memory_plan.hpp"

#include <algorithm>

#include "core/fail.hpp"
#include "core/sizes.hpp"
#include "launcher/limits.hpp"
#include "shm/memory_budget.hpp"
#include "workers/parameter_access.hpp"

namespace feral {

MemoryPlan memory_plan(const TrainOptions& options, const JobDescription& description,
                       const data::BatchLayout& layout) {
  const std::uint64_t copies = trains_on_a_copy(options.policy, options.publish_every) ? 2 : 0;
  const auto states = static_cast<std::uint64_t>(options.shared_state ? 1 : options.workers);
  const std::uint64_t checkpoint_bytes =
      options.checkpoint.empty() ? 0 : description.parameter_bytes + states * description.optimizer_bytes;
  return {.worker_bytes = process_bytes + (2 + copies) * description.parameter_bytes + 8 * layout.size_bytes(),
          .loader_bytes = std::max(process_bytes, description.resident_bytes),
          .checkpoint_bytes = checkpoint_bytes};
}

void check_room_for(const ProcessCounts& more, const MemoryPlan& plan) {
  const std::uint64_t needed = plan.of(more);
  if (needed == 0) return;
  const shm::MemoryBudget budget = shm::memory_budget();
  if (needed <= budget.available_bytes) return;
  fail("memory: {} more workers and {} more loaders need about {}, but {} allows {}; ask for fewer", more.workers,
       more.loaders, human_bytes(needed), budget.limited_by, human_bytes(budget.available_bytes));
}

}  // namespace feral
