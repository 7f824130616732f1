#include "workers/job_position.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace feral {

std::uint64_t JobPosition::done_count() const noexcept {
  return std::accumulate(turns.begin(), turns.end(), std::uint64_t{0});
}

std::uint64_t JobPosition::low_water() const noexcept {
  std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t slot = 0; slot < turns.size(); ++slot) {
    lowest = std::min(lowest, std::uint64_t{turns[slot]} * turns.size() + slot);
  }
  return lowest;
}

std::uint64_t JobPosition::end() const noexcept {
  std::uint64_t end = 0;
  for (std::size_t slot = 0; slot < turns.size(); ++slot) {
    if (turns[slot] != 0) end = std::max(end, (std::uint64_t{turns[slot]} - 1) * turns.size() + slot + 1);
  }
  return end;
}

std::uint64_t JobPosition::samples_done(const EpochPlan& plan, std::uint64_t epoch) const noexcept {
  const std::uint64_t slots = turns.size();
  const std::uint64_t first_item = epoch * plan.batches_per_epoch();
  const std::uint64_t end_item = first_item + plan.batches_per_epoch();
  // How many of a slot's items lie below a number.
  const auto items_below = [&](std::uint64_t slot, std::uint64_t item) {
    return item > slot ? (item - slot + slots - 1) / slots : 0;
  };
  std::uint64_t batches = 0;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const std::uint64_t from = items_below(slot, first_item);
    const std::uint64_t to = std::min<std::uint64_t>(turns[slot], items_below(slot, end_item));
    if (to > from) batches += to - from;
  }
  const std::uint64_t missing = has_done(end_item - 1) ? plan.batch - plan.samples_of(end_item - 1) : 0;
  return batches * plan.batch - missing;
}

JobPosition position_of(const shm::SlotRing& ring) {
  JobPosition position;
  for (std::uint32_t slot = 0; slot < ring.slot_count(); ++slot) position.turns.push_back(ring.turn(slot));
  return position;
}

JobPosition position_for(const JobPosition& position, std::uint32_t slots) {
  JobPosition result;
  const std::uint64_t low_water = position.low_water();
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    std::uint64_t turn = low_water > slot ? (low_water - slot + slots - 1) / slots : 0;
    while (position.has_done(turn * slots + slot)) ++turn;
    result.turns.push_back(static_cast<std::uint32_t>(turn));
  }
  return result;
}

}  // namespace feral
