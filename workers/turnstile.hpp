// The turnstile of --deterministic: all workers read one version of the parameters, and only then is the next one
// written, from their updates in the order of the batches.
//
// With W workers, round r is the batches rW to rW+W-1, and batch rW+i is worker i's. In a round
//   1. every worker copies version r, trains on its batch there, by itself (begin … end);
//   2. when all of the round have ended, worker 0 makes version r+1 of version r and each worker's change, in the
//   order
//      of the batches (advance);
//   3. every worker finishes its batch in the ring; the next round begins.
//
// Whoever is killed between any two instructions leaves what a replacement goes on from to the same bits:
//   - a batch that was begun is begun anew: version r is still there, since nobody advances without its end, and
//   the
//     optimizer's state is what it was before the batch, from the copy that begin() made of it;
//   - a batch that was ended is not trained on again; its replacement finishes it in the ring;
//   - version r+1 is made aside, then written over version r: either is done again from what it needs.
// Everybody waits for everybody: a death costs all the time that the replacement takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "shm/event_count.hpp"
#include "workers/parameter_stretches.hpp"

namespace feral {

class Turnstile {
 public:
  // Bytes of shared memory; all-zero bytes are a turnstile before round 0. `parameter_bytes` are those of the flat
  // region, `optimizer_bytes` those of one worker's optimizer state.
  static std::size_t size_bytes(std::uint32_t workers, std::uint64_t parameter_bytes,
                                std::uint64_t optimizer_bytes);

  // Throws feral::Error when `memory` has another size.
  Turnstile(std::span<std::byte> memory, std::uint32_t workers, std::uint64_t parameter_bytes,
            std::uint64_t optimizer_bytes);

  // How many rounds' updates are in the parameters.
  std::uint64_t version() const noexcept { return header_->version.load(std::memory_order_acquire); }
  // How many batches that worker has ended: the round that it is in.
  std::uint64_t ended(std::uint32_t worker) const noexcept {
    return turns_[worker].ended.load(std::memory_order_acquire);
  }
  // Whether the first `count` workers have ended as many.
  bool all_ended(std::uint32_t count, std::uint64_t rounds) const noexcept;

  // What the worker's model is bound to.
  std::span<std::byte> copy_of(std::uint32_t worker) const noexcept {
    return copies_.subspan(worker * stride_, bytes_);
  }

  // The worker, with version() == ended(worker): the copy becomes that version, and the optimizer's state is kept,
  // or set back to what was kept when a predecessor began this batch.
  void begin(std::uint32_t worker, std::span<const std::byte> parameters,
             std::span<std::byte> state) const noexcept;
  // The worker: its copy and state are those after the batch, whose mean loss is told.
  void end(std::uint32_t worker, double loss) noexcept;
  // Of the batch that the worker ended last.
  double loss(std::uint32_t worker) const noexcept { return turns_[worker].loss.load(std::memory_order_relaxed); }

  // Worker 0, once all_ended(count, version() + 1): makes the next version. Only the first `count` workers had a
  // batch.
  void advance(std::uint32_t count, const ParameterStretches& stretches, std::span<std::byte> parameters) noexcept;

  // Notified after each end() and advance().
  shm::EventCount& changed() noexcept { return header_->changed; }

  // How long a worker has waited for the others: added to by it alone.
  void add_waited(std::uint32_t worker, std::uint64_t nanoseconds) noexcept;
  std::uint64_t waited_ns() const noexcept;  // of all together

 private:
  struct Header {
    // Written by worker 0 with release, read by all with acquire: the parameters are that version, and stay it
    // until all who have a batch of the round have ended it.
    alignas(control_line_bytes) std::atomic<std::uint64_t> version;
    // Written and read by worker 0 alone: `next_` holds that version.
    alignas(control_line_bytes) std::atomic<std::uint64_t> made;
    shm::EventCount changed;
  };
  // Of one worker, written by it alone.
  struct alignas(control_line_bytes) Turn {
    // Release; acquire by worker 0 and by a replacement.
    std::atomic<std::uint64_t> ended;
    // Round plus 1 whose first state is kept in `states_`. Release; acquire by a replacement.
    std::atomic<std::uint64_t> kept;
    std::atomic<double> loss;              // relaxed: published with `ended`
    std::atomic<std::uint64_t> waited_ns;  // relaxed
  };
  static_assert(std::atomic<double>::is_always_lock_free);

  Header* header_;
  std::span<Turn> turns_;
  std::span<std::byte> next_;    // the version being made; worker 0's
  std::span<std::byte> copies_;  // one a worker, its own until it has ended, then worker 0's to read
  std::span<std::byte> states_;  // one a worker, its own
  std::size_t bytes_;
  std::size_t stride_;
  std::size_t state_bytes_;
  std::size_t state_stride_;
};

}  // namespace feral
