// Starting a child: this executable again, by exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "shm/fd.hpp"
#include "workers/child.hpp"

namespace feral {

struct SpawnedChild {
  pid_t pid = -1;
  shm::Fd pidfd;    // becomes readable when the child has ended
  shm::Fd control;  // the launcher's end of the socket
  shm::Fd output;   // the read end of the child's stdout and stderr
};

// The environment of children: this process's, without OPENBLAS_* (one thread, the CPU's own kernels) unless
// keep_blas_env.
std::vector<std::string> child_environment(bool keep_blas_env);

// OPENBLAS_* settings of this process that children do not get, "NAME=VALUE" each.
std::vector<std::string> dropped_blas_settings(bool keep_blas_env);

// Starts a child with the arguments of this process. It inherits /dev/null as stdin, a pipe as stdout and stderr,
// the socket and the arena, and nothing else; it leads a process group of its own, so that a terminal's Ctrl-C
// reaches the launcher alone. Throws feral::Error when the kernel refuses.
SpawnedChild spawn_child(const ChildIdentity& identity, int arena_memfd, const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment);

}  // namespace feral
