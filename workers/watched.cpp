#include "workers/watched.hpp"

namespace feral {

Watched watched(JobArena& arena, Role role, std::uint32_t index) noexcept {
  if (role == Role::worker) return {arena.workers()[index].heartbeat, arena.workers()[index].last_op};
  if (role == Role::loader) return {arena.loaders()[index].heartbeat, arena.loaders()[index].last_op};
  return {arena.evaluator().heartbeat, arena.evaluator().last_op};
}

}  // namespace feral
