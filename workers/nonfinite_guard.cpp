#include "workers/nonfinite_guard.hpp"

#include "optim/finite.hpp"

namespace feral {

NonfiniteGuard::NonfiniteGuard(JobArena& arena, shm::Owner owner, std::span<const std::size_t> tensors)
    : arena_(arena), own_(arena.meters().workers()[owner.index]), worker_(owner.index), tensors_(tensors) {}

bool NonfiniteGuard::accepts(const optim::Optimizer& optimizer, std::uint64_t item) {
  const std::size_t bad = optim::first_nonfinite_gradient(optimizer.parameters());
  if (bad == optimizer.parameters().size()) {
    in_a_row_ = 0;
    return true;
  }
  count_drop(tensors_[bad], item);
  return false;
}

void NonfiniteGuard::count_drop(std::size_t tensor, std::uint64_t item) {
  own_.dropped_tensor.store(tensor, std::memory_order_relaxed);
  own_.dropped_nonfinite.store(own_.dropped_nonfinite.load(std::memory_order_relaxed) + 1,
                               std::memory_order_relaxed);
  if (own_.first_dropped.load(std::memory_order_relaxed) == 0) {
    own_.first_dropped.store(item + 1, std::memory_order_relaxed);
  }
  const JobBlock& job = arena_.job();
  const std::uint64_t limit = job.on_nonfinite == OnNonfinite::stop ? 1 : job.nonfinite_limit;
  if (++in_a_row_ < limit || limit == 0) return;
  in_a_row_ = 0;
  arena_.meters().raise({.what = Trouble::gradients, .worker = worker_, .item = item});
  arena_.request_stop(StopReason::requested);
}

}  // namespace feral
