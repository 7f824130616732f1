// The cgroups around this process, of version 2 and 1.
#pragma once

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string_view>

namespace feral::shm {

// Where the kernel's files are; tests point these at folders of their own.
struct SystemPaths {
  std::filesystem::path meminfo = "/proc/meminfo";
  std::filesystem::path self_cgroup = "/proc/self/cgroup";
  std::filesystem::path cgroup_mount = "/sys/fs/cgroup";
};

enum class CgroupVersion { one, two };

// Calls visit(folder, version) for this process's group under `controller` ("memory") and for each of those around
// it, innermost first. In version 1 the controller's hierarchy is looked for in each of `mounts`, folders of
// SystemPaths::cgroup_mount. A folder need not exist.
void for_each_cgroup(const SystemPaths& paths, std::string_view controller,
                     std::initializer_list<const char*> mounts,
                     const std::function<void(const std::filesystem::path& folder, CgroupVersion version)>& visit);

}  // namespace feral::shm
