// The cores a job may use and which process gets which.
#pragma once

#include <string>
#include <vector>

#include "workers/child.hpp"

namespace feral {

// The cores in this process's affinity mask.
std::vector<int> available_cores();

// The processor's name as /proc/cpuinfo has it; "unknown" where it has none.
std::string cpu_name();

// A core for each worker and loader when there are enough for all, else -1: the kernel schedules them.
int core_for(Role role, int index, const TrainOptions& options, const std::vector<int>& cores);

}  // namespace feral
