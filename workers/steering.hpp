// What the launcher may change while a job runs: how many processes of each role, the learning rate, a pause.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/sizes.hpp"

namespace feral {

// The region "steering". Written by the launcher alone, read by workers and loaders before each batch; one line of
// its own that hardly ever changes, so reading it costs nothing. All relaxed: each word is by itself, and seeing it
// a batch later does no harm. Whoever changes a word wakes those who wait (JobArena::notify_all).
struct alignas(control_line_bytes) SteeringBlock {
  // Indices from these on leave before their next batch, and end well. At least 1.
  std::atomic<std::uint32_t> workers_wanted;
  std::atomic<std::uint32_t> loaders_wanted;
  // How often to look before sleeping; 0 where processes outnumber cores.
  std::atomic<std::int32_t> spins;
  // 1: workers take no batch.
  std::atomic<std::uint32_t> paused;
  // The learning rate of the first parameter group, in the place of the schedule's; the others keep their initial
  // proportion to it. 0: as scheduled.
  std::atomic<double> lr;
  // What gradients are clipped to, as one vector, before each step (optim::clip_grad_norm_). 0: not clipped.
  std::atomic<double> max_norm;
};

static_assert(sizeof(SteeringBlock) == control_line_bytes && std::atomic<double>::is_always_lock_free);

}  // namespace feral
