// Anonymous shared memory without a name: nothing to clean up after a kill, nothing in /dev/shm.
//
// Order of use (law 2): create an empty memfd, hand it to children, plan, then size and seal it, then reserve its
// pages, and only then map it. A file that was merely sized would kill its users with SIGBUS when memory runs out.
#pragma once

#include <cstddef>

#include "shm/fd.hpp"

namespace feral::shm {

// An empty memfd, close-on-exec. `label` shows in /proc/PID/fd and /proc/PID/maps.
Fd create_memfd(const char* label);

// Sets the size in bytes and seals it: from here on nobody can grow or shrink the file. Throws feral::Error.
void set_size_and_seal(int memfd, std::size_t bytes);

// Allocates every page of a sized memfd. Throws feral::Error when memory or a limit does not suffice. Past a
// cgroup's limit the kernel kills the caller instead, so the launcher does this in a short-lived child.
void reserve_pages(int memfd, std::size_t bytes);

// The size in bytes; throws feral::Error when `memfd` is not a memfd whose size is sealed.
std::size_t sealed_size(int memfd);

}  // namespace feral::shm
