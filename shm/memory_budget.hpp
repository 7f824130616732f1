// How much memory a job may take: the machine's free memory and the limits of the cgroups around this process.
#pragma once

#include <cstdint>
#include <string>

#include "shm/cgroups.hpp"

namespace feral::shm {

struct MemoryBudget {
  std::uint64_t available_bytes = 0;  // what can be taken now, the smallest of all limits
  std::string limited_by;             // for messages: "free memory" or the cgroup file that sets the limit
};

// Reads MemAvailable and, for cgroup v2 and v1, the limit less the use of this process's group and of each of its
// ancestors. Files that are absent set no limit. Throws feral::Error when /proc/meminfo cannot be read.
MemoryBudget memory_budget(const SystemPaths& paths = {});

// How often the kernel has killed a process of this process's cgroup for want of memory, since the group was made;
// 0 where no cgroup counts it.
std::uint64_t oom_kills(const SystemPaths& paths = {});

// Throws feral::Error, with both numbers and the remedy, when shared_bytes + private_bytes exceed the budget.
void check_memory_budget(const MemoryBudget& budget, std::uint64_t shared_bytes, std::uint64_t private_bytes);

}  // namespace feral::shm
