#include "shm/owner_lock.hpp"

#include "core/error.hpp"

namespace feral::shm {
namespace {

constexpr int spins_before_sleep = 200;

constexpr std::uint64_t held_by(Owner owner) {
  return (std::uint64_t{1} << 32) | (std::uint64_t{owner.index} << 16) | owner.generation;
}

}  // namespace

bool OwnerLock::try_lock(Owner owner) noexcept {
  std::uint64_t expected = 0;
  return word_.load(std::memory_order_relaxed) == 0 &&
         word_.compare_exchange_strong(expected, held_by(owner), std::memory_order_acquire,
                                       std::memory_order_relaxed);
}

void OwnerLock::lock(Owner owner, std::chrono::milliseconds longest_wait) noexcept {
  for (;;) {
    const std::uint32_t key = freed_.key();
    if (try_lock(owner)) return;
    freed_.wait(key, spins_before_sleep, longest_wait);
  }
}

void OwnerLock::unlock(Owner owner) noexcept {
  std::uint64_t expected = held_by(owner);
  const bool held =
      word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed);
  FERAL_ASSERT(held);
  freed_.notify();
}

std::optional<Owner> OwnerLock::holder() const noexcept {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  return Owner{static_cast<std::uint16_t>(word >> 16), static_cast<std::uint16_t>(word)};
}

bool OwnerLock::release_dead(Owner owner) noexcept {
  std::uint64_t expected = held_by(owner);
  const bool held = word_.compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
  freed_.notify_after_death();
  return held;
}

}  // namespace feral::shm
