#include "workers/replicas.hpp"

#include <chrono>

#include "core/fail.hpp"
#include "core/sizes.hpp"

namespace feral {
namespace {

// Memory is bound to a node page by page.
constexpr std::size_t page_bytes = 4096;
constexpr std::chrono::milliseconds token_wait{100};

}  // namespace

std::size_t Replicas::size_bytes(std::uint32_t nodes, std::uint64_t parameter_bytes) {
  const std::size_t states = checked_add(sizeof(Header), checked_multiply(nodes, sizeof(State)));
  const std::size_t each = checked_multiply(2, align_up(parameter_bytes, page_bytes));
  // The region begins on any line: up to a page is left before the first replica.
  return checked_add(checked_add(states, page_bytes), checked_multiply(nodes, each));
}

Replicas::Range Replicas::range_of(std::uint32_t node, std::size_t region_offset, std::uint32_t nodes,
                                   std::uint64_t parameter_bytes) {
  const std::size_t states = sizeof(Header) + nodes * sizeof(State);
  const std::size_t both = 2 * align_up(parameter_bytes, page_bytes);
  return {align_up(region_offset + states, page_bytes) + node * both, both};
}

Replicas::Replicas(std::span<std::byte> memory, std::uint32_t nodes, std::uint64_t parameter_bytes)
    : header_(reinterpret_cast<Header*>(memory.data())),
      states_(reinterpret_cast<State*>(memory.data() + sizeof(Header)), nodes),
      memory_(memory),
      bytes_(parameter_bytes) {
  if (nodes == 0 || memory.size() != size_bytes(nodes, parameter_bytes)) {
    fail("replicas: {} bytes for {} nodes of {}", memory.size(), nodes, parameter_bytes);
  }
}

std::span<std::byte> Replicas::memory_of(std::uint32_t node, std::size_t which) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory_.data());
  const Range range = range_of(node, begin, nodes(), bytes_);  // the mapping begins on a page
  return memory_.subspan(range.offset_bytes - begin + which * range.size_bytes / 2, bytes_);
}

void Replicas::fill(std::span<const std::byte> common) noexcept {
  for (std::uint32_t node = 0; node < nodes(); ++node) {
    copy_live(memory_of(node, 0), common);
    copy_live(memory_of(node, 1), common);
  }
}

void Replicas::batch_done(shm::Owner worker, const ParameterStretches& stretches,
                          std::span<std::byte> common) noexcept {
  const std::uint32_t node = node_of(worker.index);
  State& state = states_[node];
  const std::uint64_t batches = state.batches.fetch_add(1, std::memory_order_relaxed) + 1;
  if (batches - state.reconciled.load(std::memory_order_relaxed) < batches_between) return;
  if (!header_->token.try_lock(worker)) return;
  reconcile(node, stretches, common);
  header_->token.unlock(worker);
}

void Replicas::leave(shm::Owner worker, const ParameterStretches& stretches, std::span<std::byte> common) noexcept {
  header_->token.lock(worker, token_wait);
  reconcile(node_of(worker.index), stretches, common);
  header_->token.unlock(worker);
}

void Replicas::reconcile(std::uint32_t node, const ParameterStretches& stretches,
                         std::span<std::byte> common) noexcept {
  State& state = states_[node];
  state.reconciled.store(state.batches.load(std::memory_order_relaxed), std::memory_order_relaxed);
  stretches.reconcile(memory_of(node, 0), memory_of(node, 1), common);
  state.times.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t Replicas::reconciliations() const noexcept {
  std::uint64_t sum = 0;
  for (const State& state : states_) sum += state.times.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace feral
