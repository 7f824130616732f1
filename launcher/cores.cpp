#include "launcher/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>

namespace feral {
namespace {

namespace fs = std::filesystem;

// cpu.max holds "QUOTA PERIOD" or "max PERIOD"; version 1 has a file for each, and a quota of -1 for none.
double quota_of(const fs::path& group) {
  std::ifstream both(group / "cpu.max");
  std::ifstream quota_file(group / "cpu.cfs_quota_us");
  std::ifstream period_file(group / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  const bool found = (both >> quota >> period) || (quota_file >> quota && period_file >> period);
  return found && quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

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

std::vector<int> by_physical_core(const std::vector<int>& cores, const fs::path& cpus) {
  std::map<std::string, int> seen;  // threads of a physical core so far
  std::vector<std::pair<int, int>> ranked;
  for (const int core : cores) {
    const fs::path topology = cpus / ("cpu" + std::to_string(core)) / "topology";
    std::ifstream package_file(topology / "physical_package_id");
    std::ifstream core_file(topology / "core_id");
    std::string package;
    std::string physical;
    const bool known = package_file >> package && core_file >> physical;
    ranked.emplace_back(known ? seen[package + ":" + physical]++ : 0, core);
  }
  std::ranges::stable_sort(ranked, {}, &std::pair<int, int>::first);
  std::vector<int> result;
  for (const auto& [rank, core] : ranked) result.push_back(core);
  return result;
}

std::vector<int> by_node_in_turn(const std::vector<int>& cores, const std::vector<shm::NumaNode>& nodes) {
  std::vector<std::vector<int>> queues(nodes.size() + 1);  // the last one: of cores that no node has
  for (const int core : cores) {
    const auto has = [&](const shm::NumaNode& node) {
      return std::ranges::find(node.cores, core) != node.cores.end();
    };
    queues[static_cast<std::size_t>(std::ranges::find_if(nodes, has) - nodes.begin())].push_back(core);
  }
  std::vector<int> result;
  for (std::size_t round = 0; result.size() < cores.size(); ++round) {
    for (const std::vector<int>& queue : queues) {
      if (round < queue.size()) result.push_back(queue[round]);
    }
  }
  return result;
}

double cpu_quota(const shm::SystemPaths& paths) {
  double smallest = 0;
  shm::for_each_cgroup(paths, "cpu", {"cpu", "cpu,cpuacct"}, [&](const fs::path& folder, shm::CgroupVersion) {
    const double quota = quota_of(folder);
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  });
  return smallest;
}

int CoreBudget::count() const noexcept {
  const auto all = static_cast<int>(cores.size());
  return quota > 0 && std::ceil(quota) < all ? static_cast<int>(std::ceil(quota)) : all;
}

CoreBudget core_budget() { return {.cores = by_physical_core(available_cores()), .quota = cpu_quota()}; }

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return "unknown";
}

int core_for(Role role, int index, const ProcessCounts& counts, const CoreBudget& budget) {
  const auto cores = static_cast<int>(budget.cores.size());
  if (counts.workers + counts.loaders > cores || budget.count() < cores) return -1;
  if (role == Role::worker && index < counts.workers) return budget.cores[static_cast<std::size_t>(index)];
  if (role == Role::loader && index < counts.loaders) {
    return budget.cores[static_cast<std::size_t>(counts.workers + index)];
  }
  return -1;
}

void pin_process(pid_t pid, int core, const CoreBudget& budget) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int one : budget.cores) {
    if (core < 0 || one == core) CPU_SET(static_cast<unsigned>(one), &mask);
  }
  std::error_code ended;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", ended)) {
    const std::string name = task.path().filename();
    pid_t thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc()) {
      ::sched_setaffinity(thread, sizeof mask, &mask);  // best effort: it may be gone
    }
  }
}

}  // namespace feral
