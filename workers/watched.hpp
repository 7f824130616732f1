// What a child of any role leaves in the arena for its launcher to see.
#pragma once

#include "autograd/last_op.hpp"
#include "workers/child.hpp"
#include "workers/job_arena.hpp"

namespace feral {

struct Watched {
  Heartbeat& heartbeat;
  LastOp& last_op;
};

// Of a worker, a loader or the evaluator; its index is one that the arena has.
Watched watched(JobArena& arena, Role role, std::uint32_t index) noexcept;

}  // namespace feral
