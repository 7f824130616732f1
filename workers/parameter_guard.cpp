#include "workers/parameter_guard.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "optim/finite.hpp"
#include "workers/parameter_stretches.hpp"

namespace feral {
namespace {

// An update takes milliseconds at most; a worker that has not finished after this long is stopped or dead.
constexpr std::chrono::seconds longest_write{1};

// A loss that has jumped by more than itself is no good place to come back to.
bool is_sane(double loss, const std::optional<double>& best) {
  return std::isfinite(loss) && (!best || loss <= *best + std::max(1.0, std::abs(*best)));
}

}  // namespace

ParameterGuard::ParameterGuard(JobArena& arena, nn::FlatLayout layout, const optim::Optimizer* optimizer)
    : arena_(arena), layout_(std::move(layout)), optimizer_(optimizer) {
  if (arena.rollback().enabled() && arena.rollback().block().taken.load(std::memory_order_relaxed) == 0) take();
}

bool ParameterGuard::parameters_finite(std::byte* memory) const {
  for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
    const Tensor& like = layout_.parameters[i].tensor;
    if (!optim::all_finite(Tensor::borrow(memory + layout_.offsets_bytes[i], like.shape(), like.dtype())))
      return false;
  }
  return true;
}

void ParameterGuard::look(std::optional<double> loss) {
  Rollback& rollback = arena_.rollback();
  if (!rollback.enabled()) {
    const bool endless = arena_.job().on_nonfinite == OnNonfinite::drop && arena_.job().nonfinite_limit == 0;
    if (endless || parameters_finite(arena_.parameters().data())) return;
    arena_.meters().raise({.what = Trouble::parameters});
    arena_.request_stop(StopReason::requested);
    return;
  }
  const std::uint64_t seen = rollback.done();
  if (rollback.wanted()) return;
  if (loss && !std::isfinite(*loss)) {
    rollback.ask(seen);
  } else if (!loss || is_sane(*loss, best_loss_)) {
    if (!take()) {
      rollback.ask(seen);
    } else if (loss) {
      best_loss_ = std::min(*loss, best_loss_.value_or(*loss));
    }
  }
}

bool ParameterGuard::take() {
  // The copy is looked at as well, but by then the oldest snapshot is gone.
  if (!parameters_finite(arena_.parameters().data())) return false;
  RollbackBlock& block = arena_.rollback().block();
  const auto place =
      static_cast<std::size_t>(std::ranges::min_element(block.numbers, {}, [](const auto& n) { return n.load(); }) -
                               std::begin(block.numbers));
  const std::uint64_t number = block.taken.load(std::memory_order_relaxed) + 1;
  const std::uint64_t steps = arena_.ring().done_count();
  block.numbers[place].store(0, std::memory_order_relaxed);
  const std::span<std::byte> parameters = arena_.rollback().parameters(place);
  copy_live(parameters, arena_.parameters());
  if (!parameters_finite(parameters.data())) return false;
  const std::span<std::byte> states = arena_.rollback().states(place);
  copy_live(states, arena_.optimizer_states());
  if (arena_.job().shared_state == 0) {
    // A worker that has not begun will begin with this; by the time of a rollback it may have.
    for (std::uint32_t i = 0; i < arena_.job().max_workers; ++i) {
      if (arena_.workers()[i].state_made.load(std::memory_order_relaxed) != 0) continue;
      const auto offset =
          static_cast<std::size_t>(arena_.optimizer_state(i).data() - arena_.optimizer_states().data());
      const std::span<std::byte> own = states.subspan(offset, arena_.job().optimizer_bytes);
      std::ranges::fill(own, std::byte{0});
      optimizer_->initialize_state(own);
    }
  }
  block.steps[place].store(steps, std::memory_order_relaxed);
  block.taken.store(number, std::memory_order_relaxed);
  block.numbers[place].store(number, std::memory_order_release);
  return true;
}

void ParameterGuard::wait_for_writers() {
  const auto end = std::chrono::steady_clock::now() + longest_write;
  for (WorkerMeters& worker : arena_.meters().workers()) {
    while (worker.writing.load() != 0 && !arena_.stopping() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
}

void ParameterGuard::restore(std::size_t place) {
  copy_live(arena_.parameters(), arena_.rollback().parameters(place));
  const std::span<std::byte> states = arena_.rollback().states(place);
  if (arena_.job().shared_state != 0) {
    copy_live(arena_.optimizer_states(), states);
    return;
  }
  for (std::uint32_t i = 0; i < arena_.job().max_workers; ++i) {
    if (arena_.workers()[i].state_made.load(std::memory_order_relaxed) == 0) continue;
    const std::span<std::byte> own = arena_.optimizer_state(i);
    copy_live(own,
              states.subspan(static_cast<std::size_t>(own.data() - arena_.optimizer_states().data()), own.size()));
  }
}

bool ParameterGuard::serve() {
  Rollback& rollback = arena_.rollback();
  if (!rollback.enabled() || !rollback.wanted() || arena_.stopping()) return false;
  RollbackBlock& block = rollback.block();
  const auto newest = std::ranges::max_element(block.numbers, {}, [](const auto& n) { return n.load(); });
  if (newest->load(std::memory_order_acquire) == 0) {
    arena_.meters().raise({.what = Trouble::snapshots});
    arena_.request_stop(StopReason::requested);
    return false;
  }
  const auto place = static_cast<std::size_t>(newest - std::begin(block.numbers));
  wait_for_writers();
  restore(place);
  block.restored_steps.store(block.steps[place].load(std::memory_order_relaxed), std::memory_order_relaxed);
  newest->store(0, std::memory_order_release);
  block.done.store(block.asked.load());
  arena_.control().changed.notify();
  return true;
}

}  // namespace feral
