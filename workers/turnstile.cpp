#include "workers/turnstile.hpp"

#include <cstring>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {
namespace {

std::size_t padded(std::uint64_t bytes) { return align_up(bytes, control_line_bytes); }

}  // namespace

std::size_t Turnstile::size_bytes(std::uint32_t workers, std::uint64_t parameter_bytes,
                                  std::uint64_t optimizer_bytes) {
  const std::size_t parameters = checked_multiply(padded(parameter_bytes), std::size_t{workers} + 1);
  const std::size_t states = checked_multiply(padded(optimizer_bytes), workers);
  return checked_add(sizeof(Header) + workers * sizeof(Turn), checked_add(parameters, states));
}

Turnstile::Turnstile(std::span<std::byte> memory, std::uint32_t workers, std::uint64_t parameter_bytes,
                     std::uint64_t optimizer_bytes)
    : header_(reinterpret_cast<Header*>(memory.data())),
      bytes_(parameter_bytes),
      stride_(padded(parameter_bytes)),
      state_bytes_(optimizer_bytes),
      state_stride_(padded(optimizer_bytes)) {
  if (memory.size() != size_bytes(workers, parameter_bytes, optimizer_bytes)) {
    fail("turnstile: {} bytes for {} workers", memory.size(), workers);
  }
  std::size_t at = sizeof(Header);
  turns_ = {reinterpret_cast<Turn*>(memory.data() + at), workers};
  at += workers * sizeof(Turn);
  next_ = memory.subspan(at, bytes_);
  at += stride_;
  copies_ = memory.subspan(at, workers * stride_);
  at += copies_.size();
  states_ = memory.subspan(at, workers * state_stride_);
}

bool Turnstile::all_ended(std::uint32_t count, std::uint64_t rounds) const noexcept {
  for (std::uint32_t worker = 0; worker < count; ++worker) {
    if (ended(worker) < rounds) return false;
  }
  return true;
}

void Turnstile::begin(std::uint32_t worker, std::span<const std::byte> parameters,
                      std::span<std::byte> state) const noexcept {
  Turn& turn = turns_[worker];
  const std::uint64_t round = turn.ended.load(std::memory_order_relaxed);
  std::byte* const kept = states_.data() + worker * state_stride_;
  if (turn.kept.load(std::memory_order_acquire) == round + 1) {
    std::memcpy(state.data(), kept, state_bytes_);
  } else {
    std::memcpy(kept, state.data(), state_bytes_);
    turn.kept.store(round + 1, std::memory_order_release);
  }
  copy_live(copy_of(worker), parameters);
}

void Turnstile::end(std::uint32_t worker, double loss) noexcept {
  Turn& turn = turns_[worker];
  turn.loss.store(loss, std::memory_order_relaxed);
  turn.ended.store(turn.ended.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  header_->changed.notify();
}

void Turnstile::advance(std::uint32_t count, const ParameterStretches& stretches,
                        std::span<std::byte> parameters) noexcept {
  const std::uint64_t version = header_->version.load(std::memory_order_relaxed);
  if (header_->made.load(std::memory_order_acquire) != version + 1) {
    copy_live(next_, parameters);
    for (std::uint32_t worker = 0; worker < count; ++worker) {
      stretches.add_changes(next_, parameters, copy_of(worker), Adding::racy);
    }
    header_->made.store(version + 1, std::memory_order_release);
  }
  copy_live(parameters, next_);
  header_->version.store(version + 1, std::memory_order_release);
  header_->changed.notify();
}

void Turnstile::add_waited(std::uint32_t worker, std::uint64_t nanoseconds) noexcept {
  std::atomic<std::uint64_t>& word = turns_[worker].waited_ns;
  word.store(word.load(std::memory_order_relaxed) + nanoseconds, std::memory_order_relaxed);
}

std::uint64_t Turnstile::waited_ns() const noexcept {
  std::uint64_t sum = 0;
  for (const Turn& turn : turns_) sum += turn.waited_ns.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace feral
