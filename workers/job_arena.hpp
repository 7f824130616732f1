// What lies in a job's arena, and who may write it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "autograd/last_op.hpp"
#include "data/dataset.hpp"
#include "shm/arena.hpp"
#include "shm/event_count.hpp"
#include "shm/owner_lock.hpp"
#include "shm/slot_ring.hpp"
#include "workers/checkpoint_block.hpp"
#include "workers/epoch_plan.hpp"
#include "workers/job.hpp"
#include "workers/job_meters.hpp"
#include "workers/ledger.hpp"
#include "workers/replicas.hpp"
#include "workers/steering.hpp"
#include "workers/tensor_table.hpp"
#include "workers/turnstile.hpp"

namespace feral {

// What the evaluator found out by building the model and the data sets: the input to the plan.
struct JobDescription {
  std::int64_t samples = 0;  // to train on
  std::int64_t test_samples = 0;
  std::vector<data::Field> fields;  // of a sample
  std::uint64_t parameter_bytes = 0;
  std::int64_t parameter_elements = 0;
  std::uint64_t optimizer_bytes = 0;  // of its state
  bool needs_closure = false;         // the optimizer evaluates the loss several times a step
  std::uint64_t resident_bytes = 0;   // of the evaluator with everything built: what a process of the job may take
  std::string kernels;                // which matrix kernels are in use, for people
  std::uint64_t tensor_count = 0;     // parameters of the model, and what their names take (JobMeters)
  std::uint64_t tensor_name_bytes = 0;
  std::uint32_t tensor_records = 0;  // parameters and buffers
};

// The region "job": the numbers of the run. Written by the launcher before any child attaches, read-only
// afterwards.
struct JobBlock {
  EpochPlan plan;
  std::uint64_t epochs;
  std::uint32_t workers;  // to begin with
  std::uint32_t loaders;  // likewise
  std::uint32_t max_workers;
  std::uint32_t max_loaders;
  std::uint32_t slots;
  std::int32_t spins;  // to begin with (SteeringBlock)
  optim::Rule rule;
  Policy policy;
  optim::RuleOptions rule_options;
  optim::ScheduleOptions schedule;
  std::uint64_t evaluate_every;  // epochs; 0: only at the end
  double target_accuracy;
  std::uint64_t parameter_bytes;
  std::uint64_t optimizer_bytes;  // of one state
  std::uint32_t shared_state;     // 1: all workers share one, 0: each index has its own
  std::uint32_t field_count;
  struct FieldRecord {
    char name[32];
    DType dtype;
    std::int32_t dims;
    std::int64_t sizes[Shape::max_dims];
  } fields[8];
  std::uint32_t publish_every;  // batches
  std::uint32_t deterministic;  // 1: workers go through the turnstile
  std::uint32_t nodes;          // with a replica each; 0: none has one
  std::uint64_t tensor_count;
  std::uint64_t tensor_name_bytes;
  std::uint32_t staleness_scale;  // 1: rates are divided by 1 + staleness
  OnNonfinite on_nonfinite;
  std::uint64_t nonfinite_limit;
  std::uint32_t tensor_records;  // records of the region "tensors"
};

enum class StopReason : std::uint32_t { none = 0, requested = 1, target_reached = 2, launcher_gone = 3 };

// The region "control": what processes tell all others.
struct ControlBlock {
  // none until the launcher (requested), the evaluator (target_reached) or any child (launcher_gone) changes it,
  // once; all read it before each batch. Relaxed: seeing it a batch later does no harm.
  alignas(control_line_bytes) std::atomic<StopReason> stop;
  // 0, then 1: the evaluator has written the initial parameters. Release by the evaluator, acquire by workers.
  alignas(control_line_bytes) std::atomic<std::uint32_t> published;
  // 0, then 1: no worker will update the parameters any more. Release by the launcher, acquire by the evaluator.
  alignas(control_line_bytes) std::atomic<std::uint32_t> training_over;
  // Notified when an epoch may be complete, when parameters were published, and after each of the words above
  // changed.
  shm::EventCount changed;
};

// The region "stripes": that many locks, which workers take in ascending order while they update the parameters,
// under Policy::locked (optim::Optimizer::set_lock); those of a dead worker are given back by the launcher.
inline constexpr std::size_t stripe_count = 16;

// How a child is: written by it alone, relaxed, and read by the launcher, which clears it before it starts a
// replacement. Batches are told by their number plus 1, so that zero bytes say "none"; the evaluator's are those of
// the data to test on.
struct Heartbeat {
  std::atomic<std::uint64_t> beats;    // counts each batch that it took or ended, and each wait; 0: it starts up
  std::atomic<std::uint64_t> batch;    // the one in hand, plus 1; 0 while there is none
  std::atomic<std::uint32_t> waiting;  // 1 while it waits for others: for a batch, a free slot, the end of an epoch

  void begin(std::uint64_t item) noexcept {
    waiting.store(0, std::memory_order_relaxed);
    batch.store(item + 1, std::memory_order_relaxed);
    beat();
  }
  void end() noexcept {
    waiting.store(0, std::memory_order_relaxed);
    batch.store(0, std::memory_order_relaxed);
    beat();
  }
  // Before each wait, of longest_wait at most.
  void wait() noexcept {
    waiting.store(1, std::memory_order_relaxed);
    beat();
  }
  // Launcher: a process is about to start.
  void clear() noexcept {
    beats.store(0, std::memory_order_relaxed);
    waiting.store(0, std::memory_order_relaxed);
    batch.store(0, std::memory_order_relaxed);
  }

 private:
  void beat() noexcept { beats.store(beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

// The region "loaders", one an index.
struct alignas(control_line_bytes) LoaderBlock {
  Heartbeat heartbeat;
  LastOp last_op;
};

// The region "evaluator".
struct alignas(control_line_bytes) EvaluatorBlock {
  Heartbeat heartbeat;
  LastOp last_op;
};

// The region "workers", one an index. Written by that worker alone (a replacement goes on from its predecessor's
// numbers), relaxed; read by the launcher. Times are of CLOCK_MONOTONIC in nanoseconds, 0 for never.
struct alignas(control_line_bytes) WorkerBlock {
  Heartbeat heartbeat;
  // 0, then 1: this index's own optimizer state holds what it begins with; of a job that goes on from a checkpoint
  // the evaluator may have put it there, before it publishes the parameters. Not needed for a shared one, which the
  // evaluator makes.
  std::atomic<std::uint32_t> state_made;
  std::atomic<std::uint64_t> steps;
  std::atomic<std::uint64_t> first_take_ns;
  std::atomic<std::uint64_t> first_step_ns;
  std::atomic<std::uint64_t> last_update_ns;
  LastOp last_op;
};

// The region "evaluations": one a whole epoch, and a last one for the final parameters. Written by the evaluator
// alone; `done` release by it and acquire by readers.
struct Evaluation {
  double accuracy;
  double loss;
  std::atomic<std::uint32_t> done;
};

// Bytes that one slot of the ring takes in the arena.
std::size_t slot_bytes(const data::BatchLayout& layout);

// The arena's regions in the order of the plan.
shm::ArenaPlan plan_arena(const JobBlock& block, std::size_t slot_bytes);

// Throws feral::Error naming the first option that is out of its range whatever the data.
void check_options(const TrainOptions& options);

// The numbers of a run: checks options against the description, throws feral::Error. `cores` are those the job may
// use.
JobBlock plan_job(const TrainOptions& options, const JobDescription& description, int cores);

// How many workers and loaders a job may grow to.
struct ProcessLimits {
  std::uint32_t workers;
  std::uint32_t loaders;
};
ProcessLimits process_limits(const TrainOptions& options, int cores);

// How often so many processes and an evaluator look before they sleep (SteeringBlock::spins).
std::int32_t spins_of(std::int64_t workers, std::int64_t loaders, int cores) noexcept;

// An attached arena with its parts.
class JobArena {
 public:
  // Lays everything down. Launcher only; `memfd` has the size of the plan.
  static JobArena create(int memfd, const JobBlock& block);
  static JobArena attach(int memfd);
  // For readers outside the job: the memory is mapped read-only, so whatever writes ends the process.
  static JobArena attach_to_read(int memfd);

  const JobBlock& job() const noexcept { return *job_; }
  ControlBlock& control() noexcept { return *control_; }
  CheckpointBlock& checkpoint() noexcept { return *checkpoint_; }
  SteeringBlock& steering() noexcept { return *steering_; }
  shm::SlotRing& ring() noexcept { return ring_; }
  Ledger& ledger() noexcept { return ledger_; }
  std::span<WorkerBlock> workers() noexcept { return workers_; }  // max_workers of them
  std::span<LoaderBlock> loaders() noexcept { return loaders_; }  // max_loaders of them
  EvaluatorBlock& evaluator() noexcept { return *evaluator_; }
  std::span<Evaluation> evaluations() noexcept { return evaluations_; }  // epochs, then the final one
  std::span<std::byte> parameters() noexcept { return parameters_; }
  std::span<TensorRecord> tensors() noexcept { return tensors_; }  // of the model, once they are published
  // The state of that worker's optimizer, or the one that all share. A replacement goes on with its predecessor's.
  std::span<std::byte> optimizer_state(std::uint32_t worker) noexcept {
    return optimizers_.subspan(job_->shared_state != 0 ? 0 : worker * optimizer_stride_, job_->optimizer_bytes);
  }
  std::span<shm::OwnerLock> stripes() noexcept { return stripes_; }
  // Frees the stripes that this worker, who is gone for good, has held. Launcher only.
  void free_stripes_of_dead(shm::Owner worker) noexcept;
  // Of a deterministic job; others have none.
  std::optional<Turnstile>& turnstile() noexcept { return turnstile_; }
  // Of a job with --replicas; others have none.
  std::optional<Replicas>& replicas() noexcept { return replicas_; }
  // What that worker trains: its node's replica, or the parameters.
  std::span<std::byte> parameters_of(std::uint32_t worker) noexcept {
    return replicas_ ? replicas_->replica(replicas_->node_of(worker)) : parameters_;
  }
  JobMeters& meters() noexcept { return meters_; }
  const data::BatchLayout& batch_layout() const noexcept { return layout_; }
  std::byte* slot_memory(std::uint32_t slot) noexcept { return batches_.data() + slot * slot_bytes_; }
  std::size_t size_bytes() const noexcept { return arena_.size_bytes(); }

  bool stopping() noexcept { return control_->stop.load(std::memory_order_relaxed) != StopReason::none; }
  // Asks all processes to leave after their batch; the first reason stays.
  void request_stop(StopReason reason) noexcept;
  // Wakes everybody who waits, after a change or a death.
  void notify_all() noexcept;

 private:
  explicit JobArena(shm::Arena arena, shm::SlotRing ring);

  shm::Arena arena_;
  const JobBlock* job_;
  ControlBlock* control_;
  CheckpointBlock* checkpoint_;
  SteeringBlock* steering_;
  shm::SlotRing ring_;
  Ledger ledger_;
  std::span<WorkerBlock> workers_;
  std::span<LoaderBlock> loaders_;
  EvaluatorBlock* evaluator_;
  std::span<Evaluation> evaluations_;
  std::span<std::byte> parameters_;
  std::span<TensorRecord> tensors_;
  std::span<std::byte> optimizers_;
  std::span<std::byte> batches_;
  std::span<shm::OwnerLock> stripes_;
  std::optional<Turnstile> turnstile_;
  std::optional<Replicas> replicas_;
  data::BatchLayout layout_;
  std::size_t slot_bytes_;
  std::size_t optimizer_stride_;
  JobMeters meters_;
};

// Every wait on the arena's events is bounded by this and looks again: what a process killed between publishing and
// waking costs at worst.
inline constexpr std::chrono::milliseconds longest_wait{100};

// CLOCK_MONOTONIC in nanoseconds: comparable between the processes of a machine.
std::uint64_t monotonic_ns() noexcept;

}  // namespace feral
