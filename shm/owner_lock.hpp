// A lock across processes that outlives its holder: the word says who holds it, and the launcher frees it when that
// process is dead, as it gives slots back. (A pthread mutex in shared memory hangs for ever when its owner is
// killed, and a robust one needs the dead thread's list to be intact.)
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/sizes.hpp"
#include "shm/event_count.hpp"
#include "shm/slot_ring.hpp"

namespace feral::shm {

// Lives in shared memory; all-zero bytes are a free lock.
class OwnerLock {
 public:
  // Waits until it is free and takes it. `longest_wait` bounds each sleep, after which the word is looked at again:
  // what a process killed between freeing it and waking costs at worst. Not recursive.
  void lock(Owner owner, std::chrono::milliseconds longest_wait) noexcept;
  bool try_lock(Owner owner) noexcept;
  // By its holder alone.
  void unlock(Owner owner) noexcept;

  // Who holds it at this moment.
  std::optional<Owner> holder() const noexcept;

  // Launcher: frees it if this owner, who is gone for good, held it, and wakes all who wait; says whether it did.
  // What it guarded is as the dead left it.
  bool release_dead(Owner owner) noexcept;

 private:
  // 0: free; 1 << 32 | index << 16 | generation: held by that owner. Changed by compare-and-swap alone: acquire
  // when taken, release when freed, by the holder or, for a dead one, by the launcher.
  alignas(control_line_bytes) std::atomic<std::uint64_t> word_{0};
  EventCount freed_;
};

}  // namespace feral::shm
