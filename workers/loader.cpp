#include "workers/loader.hpp"

#include <chrono>
#include <vector>

#include "core/fail.hpp"

namespace feral {
namespace {

// A data set that changed since the plan was made would write past its slots.
void check_dataset(const data::Dataset& dataset, JobArena& arena) {
  if (static_cast<std::uint64_t>(dataset.size()) != arena.job().plan.samples) {
    fail("data: the set has {} samples now, the job was planned with {}", dataset.size(), arena.job().plan.samples);
  }
  const data::BatchLayout layout(dataset.fields(), arena.batch_layout().capacity());
  if (layout.size_bytes() != arena.batch_layout().size_bytes()) {
    fail("data: a batch takes {} bytes now, the job was planned with {}", layout.size_bytes(),
         arena.batch_layout().size_bytes());
  }
}

}  // namespace

void run_loader(const data::Dataset& dataset, JobArena& arena, shm::Owner owner) {
  check_dataset(dataset, arena);
  shm::SlotRing& ring = arena.ring();
  SampleOrder order(arena.job().plan);
  std::vector<std::int64_t> indices;
  Heartbeat& heartbeat = arena.loaders()[owner.index].heartbeat;
  const SteeringBlock& steering = arena.steering();
  while (!arena.stopping() && owner.index < steering.loaders_wanted.load(std::memory_order_relaxed)) {
    const std::uint32_t key = ring.free_event().key();
    if (const auto claim = ring.try_claim(owner)) {
      heartbeat.begin(claim->item);
      order.samples(claim->item, indices);
      dataset.fill(indices, arena.batch_layout(), arena.slot_memory(claim->slot));
      ring.publish(*claim);
      heartbeat.end();
    } else if (ring.all_done()) {
      return;
    } else {
      heartbeat.wait();
      ring.free_event().wait(key, steering.spins.load(std::memory_order_relaxed), longest_wait);
    }
  }
}

}  // namespace feral
