#include "shm/cgroups.hpp"

#include <fmt/format.h>

#include <fstream>
#include <string>

namespace feral::shm {

namespace fs = std::filesystem;

void for_each_cgroup(const SystemPaths& paths, std::string_view controller,
                     std::initializer_list<const char*> mounts,
                     const std::function<void(const fs::path& folder, CgroupVersion version)>& visit) {
  const auto climb = [&](const fs::path& mount, fs::path group, CgroupVersion version) {
    // Inside a container the group's path may not exist below the mount: then the mount is the container's own
    // group.
    for (;;) {
      visit(mount / group.relative_path(), version);
      if (group.empty() || group == group.root_path()) return;
      group = group.parent_path();
    }
  };
  const std::string listed = fmt::format(",{},", controller);
  std::ifstream groups(paths.self_cgroup);
  std::string line;
  while (std::getline(groups, line)) {  // hierarchy-ID:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) climb(paths.cgroup_mount, group, CgroupVersion::two);
    if (("," + controllers + ",").find(listed) == std::string::npos) continue;
    for (const char* mount : mounts) climb(paths.cgroup_mount / mount, group, CgroupVersion::one);
  }
}

}  // namespace feral::shm
