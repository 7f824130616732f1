// What workers measure of themselves and of each other, in the arena: staleness, lost updates, updates left out.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shm/arena.hpp"
#include "workers/staleness.hpp"

namespace feral {

struct JobBlock;

// Why the run cannot go on. Zero is no reason.
enum class Trouble : std::uint8_t {
  none = 0,
  gradients = 1,   // a worker met values that are no numbers more often in a row than is allowed
  parameters = 2,  // the evaluator found them among the parameters
  snapshots = 3,   // and there is no snapshot left to roll back to
};

struct TroubleReport {
  Trouble what = Trouble::none;
  std::uint16_t worker = 0;  // of Trouble::gradients
  std::uint64_t item = 0;    // the batch
};

// The region "trouble": 0 until a worker or the evaluator sets it, once, by compare-and-swap (relaxed: one word
// says all); read by the launcher.
struct alignas(control_line_bytes) TroubleWord {
  std::atomic<std::uint64_t> word;
};

// The region "meters", one an index of a worker. Written by that worker alone (a replacement goes on from its
// predecessor's numbers), relaxed; read by the launcher.
struct alignas(control_line_bytes) WorkerMeters {
  StalenessHistogram staleness;
  std::atomic<std::uint64_t> dropped_nonfinite;  // steps left out
  std::atomic<std::uint64_t> first_dropped;      // the number of the first one's batch, plus 1; 0: none yet
  std::atomic<std::uint64_t> dropped_tensor;     // whose gradient it was, of the latest one
  std::atomic<std::uint64_t> dropped_rollback;   // steps left out as parameters were rolled back under them
  // 1 while it may be writing parameters. Sequentially consistent: see Rollback (workers/rollback.hpp).
  alignas(control_line_bytes) std::atomic<std::uint32_t> writing;
};

// The region "lost_updates", one an index of a worker and tensor. Written by that worker alone, relaxed.
struct LostRecord {
  std::atomic<std::uint64_t> metered;  // element updates that were looked at
  std::atomic<std::uint64_t> lost;     // of them, those that overwrote one of somebody else
};

class JobMeters {
 public:
  static void plan(shm::ArenaPlan& plan, const JobBlock& block);

  // Throws feral::Error when the arena's regions have other sizes than the block says.
  JobMeters(const shm::Arena& arena, const JobBlock& block);

  UpdateCounter& updates() noexcept { return *updates_; }
  std::span<WorkerMeters> workers() noexcept { return workers_; }
  std::size_t tensor_count() const noexcept { return tensor_count_; }
  // One a tensor, in the order of the model's named parameters.
  std::span<LostRecord> lost(std::size_t worker) noexcept {
    return lost_.subspan(worker * tensor_count_, tensor_count_);
  }

  // Evaluator, before it publishes the parameters: what they are called. tensor_name_bytes() of `names` is what was
  // planned for.
  void set_tensor_names(const std::vector<std::string>& names) noexcept;
  static std::size_t tensor_name_bytes(const std::vector<std::string>& names) noexcept;
  // Once the parameters are published.
  std::string_view tensor_name(std::size_t tensor) const noexcept;

  // The first one stays.
  void raise(const TroubleReport& report) noexcept;
  std::optional<TroubleReport> trouble() const noexcept;

 private:
  UpdateCounter* updates_;
  TroubleWord* trouble_;
  std::span<WorkerMeters> workers_;
  std::span<LostRecord> lost_;
  std::span<char> names_;  // one after the other, each with a zero behind it
  std::size_t tensor_count_;
};

}  // namespace feral
