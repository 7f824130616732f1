// The machine's NUMA nodes, and memory of the arena on one of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace feral::shm {

struct NumaNode {
  int number = 0;
  std::vector<int> cores;  // as the kernel numbers both
};

// The nodes that have cores (node*/cpulist in `folder`), in their order; one without cores where the kernel does
// not say.
std::vector<NumaNode> numa_nodes(const std::filesystem::path& folder = "/sys/devices/system/node");

// Has the pages that lie wholly in [offset, offset + bytes) of `memfd` taken from that node when they are reserved.
// For the launcher, before the reservation. Returns false, having done nothing, where the kernel does not allow it.
bool bind_to_node(int memfd, std::size_t offset_bytes, std::size_t size_bytes, int node) noexcept;

}  // namespace feral::shm
