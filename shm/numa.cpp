#include "shm/numa.hpp"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include "core/sizes.hpp"

namespace feral::shm {
namespace {

namespace fs = std::filesystem;

constexpr int most_cores = 1 << 16;  // what a damaged list could not exceed

// "0-3,8-11"
std::vector<int> cores_of(std::string_view list) {
  std::vector<int> cores;
  const char* at = list.data();
  const char* const end = at + list.size();
  while (at < end) {
    int first = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc()) break;
    int last = first;
    if (read.ptr < end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || last >= most_cores) break;
    for (int core = first; core <= last; ++core) cores.push_back(core);
    at = read.ptr < end && *read.ptr == ',' ? read.ptr + 1 : end;
  }
  return cores;
}

}  // namespace

std::vector<NumaNode> numa_nodes(const fs::path& folder) {
  std::vector<NumaNode> nodes;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (!name.starts_with("node") ||
        std::from_chars(name.data() + 4, name.data() + name.size(), number).ptr != name.data() + name.size()) {
      continue;
    }
    std::string list;
    std::ifstream file(entry.path() / "cpulist");
    std::getline(file, list);
    if (std::vector<int> cores = cores_of(list); !cores.empty()) nodes.push_back({number, std::move(cores)});
  }
  std::ranges::sort(nodes, {}, &NumaNode::number);
  if (nodes.empty()) nodes.emplace_back();
  return nodes;
}

bool bind_to_node(int memfd, std::size_t offset_bytes, std::size_t size_bytes, int node) noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = align_up(offset_bytes, page);
  const std::size_t end = (offset_bytes + size_bytes) / page * page;
  if (node < 0 || node >= 64 || end <= first) return false;
  void* memory = ::mmap(nullptr, end - first, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, static_cast<off_t>(first));
  if (memory == MAP_FAILED) return false;
  // The policy of shared memory stays with the memory when the mapping goes.
  const unsigned long nodes = 1UL << node;
  const long code = ::syscall(SYS_mbind, memory, end - first, MPOL_PREFERRED, &nodes, sizeof nodes * 8, 0);
  ::munmap(memory, end - first);
  return code == 0;
}

}  // namespace feral::shm
