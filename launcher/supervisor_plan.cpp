// The whole plan of a job, as --dry-run prints it.
#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include <sys/resource.h>

#include "core/fail.hpp"
#include "launcher/limits.hpp"
#include "launcher/supervisor.hpp"
#include "shm/memory_budget.hpp"

namespace feral {
namespace {

std::string limit_of(rlim_t limit) { return limit == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit); }

std::string cores_of_all(const ProcessCounts& counts, const CoreBudget& budget) {
  if (core_for(Role::worker, 0, counts, budget) < 0) {
    return fmt::format("{} processes share {}: not pinned", counts.workers + counts.loaders, budget.count());
  }
  std::vector<std::string> places;
  for (int i = 0; i < counts.workers; ++i) {
    places.push_back(fmt::format("worker {} on {}", i, core_for(Role::worker, i, counts, budget)));
  }
  for (int i = 0; i < counts.loaders; ++i) {
    places.push_back(fmt::format("loader {} on {}", i, core_for(Role::loader, i, counts, budget)));
  }
  return fmt::format("{}; the evaluator on any", fmt::join(places, ", "));
}

}  // namespace

void Supervisor::print_whole_plan(const shm::ArenaPlan& arena) {
  const auto line = [this](const std::string& text) { progress_.print(text); };
  line(fmt::format("arena: {} of shared memory without a name", human_bytes(arena.total_bytes())));
  for (const shm::Region& region : arena.regions()) {
    line(fmt::format("  {:<12} {:>14} bytes at {}", region.name, with_thousands(region.size_bytes),
                     with_thousands(region.offset_bytes)));
  }
  const std::uint64_t own = memory_.whole(counts_);
  const shm::MemoryBudget budget = shm::memory_budget();
  line(fmt::format("private memory: about {} a worker and {} a loader, {} in all",
                   human_bytes(memory_.worker_bytes), human_bytes(memory_.loader_bytes), human_bytes(own)));
  line(fmt::format("memory: {} needed, {} allowed by {}", human_bytes(arena.total_bytes() + own),
                   human_bytes(budget.available_bytes), budget.limited_by));
  line(fmt::format("growth: up to {} workers and {} loaders (--max-workers, --max-loaders)", block_->max_workers,
                   block_->max_loaders));
  line(fmt::format("affinity mask: {} cores: {}", budget_.cores.size(), fmt::join(budget_.cores, " ")));
  line(budget_.quota > 0 ? fmt::format("cgroup quota: {:.2f} cores' worth of time", budget_.quota)
                         : std::string("cgroup quota: none"));
  line("cores: " + cores_of_all(counts_, budget_));
  const std::vector<std::string> dropped = dropped_blas_settings(options_.keep_blas_env);
  line(fmt::format("environment: handed on{}{}", dropped.empty() ? "" : " without ", fmt::join(dropped, " ")));
  rlimit files{};
  rlimit space{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_AS, &space);
  line(fmt::format("file descriptors: up to {} needed, {} allowed (RLIMIT_NOFILE)",
                   descriptors_needed(block_->max_workers, block_->max_loaders), limit_of(files.rlim_cur)));
  line(fmt::format("address space: {} (RLIMIT_AS); nothing is locked in memory (RLIMIT_MEMLOCK)",
                   limit_of(space.rlim_cur)));
  line("dry run: nothing was trained");
}

}  // namespace feral
