#include "shm/memory_budget.hpp"

#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "core/fail.hpp"

namespace feral::shm {
namespace {

namespace fs = std::filesystem;

// The number in a one-line file; nothing for "max" and for files that are absent or no number.
std::optional<std::uint64_t> read_number(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

// Page cache that the kernel gives back before it kills counts as use in the group's figure; add it back.
std::uint64_t reclaimable_bytes(const fs::path& group, const char* key) {
  std::ifstream in(group / "memory.stat");
  std::string name;
  std::uint64_t value = 0;
  while (in >> name >> value) {
    if (name == key) return value;
  }
  return 0;
}

struct Hierarchy {
  const char* limit_file;
  const char* usage_file;
  const char* reclaimable_key;
};

constexpr Hierarchy version_2{"memory.max", "memory.current", "inactive_file"};
constexpr Hierarchy version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};

void apply_limits(MemoryBudget& budget, const fs::path& mount, fs::path group, const Hierarchy& files) {
  // Inside a container the group's path may not exist below the mount: then the mount is the container's own group.
  for (;;) {
    const fs::path folder = mount / group.relative_path();
    const auto limit = read_number(folder / files.limit_file);
    const auto usage = read_number(folder / files.usage_file);
    if (limit && usage) {
      const std::uint64_t reclaimable = std::min(reclaimable_bytes(folder, files.reclaimable_key), *usage);
      const std::uint64_t used = *usage - reclaimable;
      const std::uint64_t left = *limit > used ? *limit - used : 0;
      if (left < budget.available_bytes) budget = {left, (folder / files.limit_file).string()};
    }
    if (group.empty() || group == group.root_path()) return;
    group = group.parent_path();
  }
}

}  // namespace

MemoryBudget memory_budget(const SystemPaths& paths) {
  std::ifstream meminfo(paths.meminfo);
  std::string line;
  MemoryBudget budget;
  while (std::getline(meminfo, line)) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    if (words >> name >> kib && name == "MemAvailable:") budget = {kib * 1024, "free memory"};
  }
  if (budget.limited_by.empty()) fail("{}: has no line MemAvailable", paths.meminfo.string());

  std::ifstream groups(paths.self_cgroup);
  while (std::getline(groups, line)) {  // hierarchy-ID:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) apply_limits(budget, paths.cgroup_mount, group, version_2);
    if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      apply_limits(budget, paths.cgroup_mount / "memory", group, version_1);
    }
  }
  return budget;
}

void check_memory_budget(const MemoryBudget& budget, std::uint64_t shared_bytes, std::uint64_t private_bytes) {
  const std::uint64_t needed = shared_bytes > std::numeric_limits<std::uint64_t>::max() - private_bytes
                                   ? std::numeric_limits<std::uint64_t>::max()
                                   : shared_bytes + private_bytes;
  if (needed <= budget.available_bytes) return;
  fail(
      "memory: the job needs {} (arena {} and about {} private to its processes), but {} allows {}; lower --batch "
      "or "
      "--workers, or raise the limit",
      human_bytes(needed), human_bytes(shared_bytes), human_bytes(private_bytes), budget.limited_by,
      human_bytes(budget.available_bytes));
}

}  // namespace feral::shm
