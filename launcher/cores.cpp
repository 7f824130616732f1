#include "launcher/cores.hpp"

#include <sched.h>

#include <fstream>

namespace feral {

std::vector<int> available_cores() {
  std::vector<int> cores;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<unsigned>(core), &mask)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return "unknown";
}

int core_for(Role role, int index, const TrainOptions& options, const std::vector<int>& cores) {
  if (options.workers + options.loaders > static_cast<std::int64_t>(cores.size())) return -1;
  const auto position = static_cast<std::size_t>(index);
  if (role == Role::worker) return cores[position];
  if (role == Role::loader) return cores[static_cast<std::size_t>(options.workers) + position];
  return -1;
}

}  // namespace feral
