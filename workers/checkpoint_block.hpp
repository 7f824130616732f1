// What the processes of a job tell one another about its checkpoints.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/sizes.hpp"

namespace feral {

// Whether the values of a checkpoint are of one moment.
enum class CheckpointMode : std::uint32_t {
  fuzzy,     // copied while workers went on: some of the batches that count as not done may be in it already
  quiesced,  // copied while no worker was within a batch
};

inline constexpr int checkpoint_mode_count = 2;

std::string_view name_of(CheckpointMode mode) noexcept;

// The region "checkpoint". Zeroes are its beginning.
struct CheckpointBlock {
  // Until this moment of CLOCK_MONOTONIC (nanoseconds; 0: no pause) workers begin no batch. Written by the
  // evaluator alone, read by workers, sequentially consistent (quiesce.hpp). A pause ends by itself, whoever dies.
  alignas(control_line_bytes) std::atomic<std::uint64_t> pause_until_ns;
  // How often a checkpoint was asked for. Anybody adds 1 (relaxed), then notifies ControlBlock::changed; the answer
  // is there once `answered` has reached the number that the addition gave.
  alignas(control_line_bytes) std::atomic<std::uint64_t> requests;
  // The rest is written by the evaluator alone, `answered` last and with release, to be read with acquire.
  alignas(control_line_bytes) std::atomic<std::uint64_t> answered;  // as many requests have been, well or not
  std::atomic<std::uint64_t> written;                               // checkpoints, for whatever reason
  std::atomic<std::uint64_t> failed;                                // that could not be written
  std::atomic<std::uint64_t> newest;  // the step of the newest whole one, plus 1; 0: none
  // The step of the checkpoint that the job goes on from, plus 1; 0: none. Written by the launcher before any child
  // attaches, read-only afterwards.
  alignas(control_line_bytes) std::uint64_t resumed;
};

}  // namespace feral
