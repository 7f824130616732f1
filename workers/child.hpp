// The spawned processes: who they are, what they are handed, how they begin and end.
//
// A child is the job's own executable started again. The launcher passes its role in one environment variable and
// two descriptors: a socket to the launcher and the arena's memfd. The child reads and removes the variable before
// main() begins, so that nothing it starts takes itself for a child.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shm/slot_ring.hpp"
#include "workers/job.hpp"

namespace feral {

enum class Role { reserver, evaluator, worker, loader };

std::string_view name_of(Role role) noexcept;

// "worker 1", "loader 0", "evaluator"
std::string describe(Role role, int index);

struct ChildIdentity {
  Role role = Role::worker;
  shm::Owner owner;
  int core = -1;  // to be pinned to; -1: none
};

inline constexpr int control_descriptor = 3;
inline constexpr int arena_descriptor = 4;
inline constexpr const char* role_variable = "FERAL_ROLE";

// The value of role_variable for a child.
std::string encode(const ChildIdentity& identity);

// Who this process is; nothing in a launcher.
const std::optional<ChildIdentity>& child_identity() noexcept;

// Plays the role to its end and leaves the process: 0 when done, 2 after an error that was reported to the
// launcher, 3 when the launcher is gone. The only place in the library that ends a process (law 9).
[[noreturn]] void run_child(const ChildIdentity& identity, const Job& job, const TrainOptions& options);

}  // namespace feral
