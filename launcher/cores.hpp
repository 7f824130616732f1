// The cores a job may use and which process gets which.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shm/cgroups.hpp"
#include "shm/numa.hpp"
#include "workers/child.hpp"

namespace feral {

// The cores in this process's affinity mask, in ascending order.
std::vector<int> available_cores();

// The same cores with one of each physical core first, then their second hardware threads, and so on. `cpus` is the
// kernel's folder of them; a core that it says nothing of counts as one of its own.
std::vector<int> by_physical_core(const std::vector<int>& cores,
                                  const std::filesystem::path& cpus = "/sys/devices/system/cpu");

// The same cores with those of the nodes in turn, in their order within each: position i is of node i % nodes, as
// long as that one has any left. So worker i runs beside its replica (workers/replicas.hpp).
std::vector<int> by_node_in_turn(const std::vector<int>& cores, const std::vector<shm::NumaNode>& nodes);

// How many cores' worth of time the cgroups around this process allow (cpu.max, or cpu.cfs_quota_us of version 1),
// the smallest of them; 0 for no limit.
double cpu_quota(const shm::SystemPaths& paths = {});

// What a job may use.
struct CoreBudget {
  std::vector<int> cores;  // in the order of use
  double quota = 0;        // cores' worth of time; 0: no limit

  // As many processes can run at once: the cores, or fewer where the quota, rounded up, is below.
  int count() const noexcept;
};

CoreBudget core_budget();

// The processor's name as /proc/cpuinfo has it; "unknown" where it has none.
std::string cpu_name();

// How many processes of the two roles there are.
struct ProcessCounts {
  int workers = 0;
  int loaders = 0;
};

// A core for each worker and loader when there are enough for all, else -1: the kernel schedules them. So it does
// under a quota, whose time may be had on any core.
int core_for(Role role, int index, const ProcessCounts& counts, const CoreBudget& budget);

// Lets every thread of a running process use that core alone; -1: all of the budget's.
void pin_process(pid_t pid, int core, const CoreBudget& budget);

}  // namespace feral
