#include "shm/memory_budget.hpp"

#include <algorithm>
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

// The value of a key in a file of "key value" lines.
std::optional<std::uint64_t> read_value(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  std::string name;
  std::uint64_t value = 0;
  while (in >> name >> value) {
    if (name == key) return value;
  }
  return std::nullopt;
}

struct Hierarchy {
  const char* limit_file;
  const char* usage_file;
  const char* reclaimable_key;  // in memory.stat: page cache that the kernel gives back before it kills
  const char* events_file;      // with a line "oom_kill N"
};

constexpr Hierarchy version_2{"memory.max", "memory.current", "inactive_file", "memory.events"};
constexpr Hierarchy version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                              "memory.oom_control"};

template <class Visit>
void for_each_group(const SystemPaths& paths, const Visit& visit) {
  for_each_cgroup(paths, "memory", {"memory"}, [&](const fs::path& folder, CgroupVersion version) {
    visit(folder, version == CgroupVersion::two ? version_2 : version_1);
  });
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

  for_each_group(paths, [&](const fs::path& folder, const Hierarchy& files) {
    const auto limit = read_number(folder / files.limit_file);
    const auto usage = read_number(folder / files.usage_file);
    if (!limit || !usage) return;
    // What the kernel gives back counts as use in the group's figure; take it off.
    const std::uint64_t reclaimable = read_value(folder / "memory.stat", files.reclaimable_key).value_or(0);
    const std::uint64_t used = *usage - std::min(reclaimable, *usage);
    const std::uint64_t left = *limit > used ? *limit - used : 0;
    if (left < budget.available_bytes) budget = {left, (folder / files.limit_file).string()};
  });
  return budget;
}

std::uint64_t oom_kills(const SystemPaths& paths) {
  std::optional<std::uint64_t> count;
  for_each_group(paths, [&](const fs::path& folder, const Hierarchy& files) {
    if (!count) count = read_value(folder / files.events_file, "oom_kill");
  });
  return count.value_or(0);
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
