#include "workers/job_arena.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>

#include "core/fail.hpp"
#include "core/sizes.hpp"
#include "shm/numa.hpp"
#include "workers/job_functions.hpp"

namespace feral {
namespace {

constexpr std::int64_t max_processes = 1024;  // of one role; far below SlotRing::max_owners
constexpr std::int64_t max_epochs = 100'000;  // the ledger keeps an account of each
constexpr std::int64_t max_restarts_allowed = 1'000'000;
constexpr int spins_before_sleep = 2000;  // a few microseconds
constexpr std::int64_t longest_publish_every = 64;
constexpr std::int64_t most_nodes = 64;
constexpr double shortest_hang_timeout = 0.5;
constexpr double day = 86'400;

void check_range(const char* option, std::int64_t value, std::int64_t lowest, std::int64_t highest) {
  if (value < lowest || value > highest) fail("--{} {}: must be {} to {}", option, value, lowest, highest);
}

// An optimizer that evaluates the loss at several points of a line must have the parameters to itself.
void refuse_closure_of_many(const TrainOptions& options, const char* what) {
  if (options.workers == 1) return;
  fail(
      "{} with --workers {}: its line search cannot work while other workers move the parameters; use "
      "--workers 1, or the synchronous mode",
      what, options.workers);
}

void refuse_closure_that_publishes_seldom(const TrainOptions& options, const char* what) {
  if (options.publish_every == 1) return;
  fail("{} with --publish-every {}: a line search is no step to collect; leave --publish-every out", what,
       options.publish_every);
}

// With one node there is nothing to reconcile: the job is one without replicas.
std::uint32_t nodes_of(const TrainOptions& options) {
  const auto nodes = options.nodes != 0 ? static_cast<std::uint32_t>(options.nodes)
                                        : static_cast<std::uint32_t>(shm::numa_nodes().size());
  return nodes < 2 ? 0 : nodes;
}

void check_replicas(const TrainOptions& options) {
  check_range("nodes", options.nodes, 0, most_nodes);
  if (options.nodes != 0 && !options.replicas) {
    fail("--nodes {}: says how many replicas there are; add --replicas per-node", options.nodes);
  }
  if (options.replicas && options.optimizer == optim::Rule::lbfgs) {
    fail(
        "--replicas per-node with --optimizer lbfgs: its line search needs the parameters to itself; leave one "
        "out");
  }
}

// Going back needs workers that write the parameters themselves, with everything that there is of them in one
// place.
void check_rollback(const TrainOptions& options) {
  if (options.on_nonfinite != OnNonfinite::rollback) return;
  const auto refuse = [](bool wrong, std::string_view what) {
    if (wrong)
      fail("--on-nonfinite rollback with {}: workers keep copies that do not go back; leave one out", what);
  };
  refuse(options.replicas, "--replicas per-node");
  refuse(options.deterministic, "--deterministic");
  refuse(options.publish_every != 1, fmt::format("--publish-every {}", options.publish_every));
  refuse(options.policy == Policy::atomic_add || options.policy == Policy::snapshot,
         fmt::format("--policy {}", name_of(options.policy)));
}

void check_publish_every(const TrainOptions& options) {
  check_range("publish-every", options.publish_every, 1, longest_publish_every);
  if (options.publish_every == 1) return;
  if (options.policy != Policy::racy && options.policy != Policy::atomic_add) {
    fail(
        "--publish-every {} with --policy {}: racy and atomic-add alone publish several batches at once; use one "
        "of them",
        options.publish_every, name_of(options.policy));
  }
  if (options.shared_state) {
    fail(
        "--publish-every {} with --shared-state: the state would follow batches that are not published; leave one "
        "of them out",
        options.publish_every);
  }
  if (options.optimizer == optim::Rule::lbfgs) refuse_closure_that_publishes_seldom(options, "--optimizer lbfgs");
}

// What would make two runs differ, or has an order of its own.
void check_deterministic(const TrainOptions& options) {
  if (!options.deterministic) return;
  const auto refuse = [](bool wrong, std::string_view what, const char* why) {
    if (wrong) fail("--deterministic with {}: {}; leave one of them out", what, why);
  };
  refuse(options.policy != Policy::racy, fmt::format("--policy {}", name_of(options.policy)),
         "its updates have an order of their own");
  refuse(options.publish_every != 1, fmt::format("--publish-every {}", options.publish_every),
         "it publishes every batch");
  refuse(options.replicas, "--replicas per-node", "which node is reconciled when is a matter of time");
  refuse(options.staleness_scale, "--staleness-scale", "how many updates came between is a matter of time");
  refuse(options.shared_state, "--shared-state", "each worker's state follows its own batches");
  refuse(options.schedule == optim::Schedule::plateau, "--schedule plateau",
         "when a loss has been measured is a matter of time");
  refuse(options.target_accuracy > 0, "--target-accuracy", "when it has been measured is a matter of time");
  refuse(options.max_workers != 0 && options.max_workers != options.workers,
         fmt::format("--max-workers {}", options.max_workers),
         "which batch is whose follows from the number of workers");
}

// Field tables travel through shared memory: believe nothing that could reach outside.
std::vector<data::Field> checked_fields(const JobBlock& block) {
  if (block.field_count == 0 || block.field_count > std::size(block.fields)) {
    fail("arena: corrupt job block: {} fields", block.field_count);
  }
  std::vector<data::Field> fields;
  for (std::uint32_t i = 0; i < block.field_count; ++i) {
    const JobBlock::FieldRecord& record = block.fields[i];
    if (record.dims < 0 || record.dims > Shape::max_dims || static_cast<int>(record.dtype) >= dtype_count ||
        ::strnlen(record.name, sizeof record.name) == sizeof record.name) {
      fail("arena: corrupt job block: field {}", i);
    }
    fields.push_back(
        {record.name, record.dtype, Shape(std::span(record.sizes, static_cast<std::size_t>(record.dims)))});
  }
  return fields;
}

// How many processes of a role the job may grow to.
std::uint32_t most_processes(std::int64_t asked, std::int64_t at_first, int cores) {
  const std::int64_t standard = std::min<std::int64_t>(2 * cores, max_processes);
  return static_cast<std::uint32_t>(asked != 0 ? asked : std::max(at_first, standard));
}

std::size_t optimizer_stride(const JobBlock& block) { return align_up(block.optimizer_bytes, control_line_bytes); }

std::size_t all_states_bytes(const JobBlock& block) {
  return checked_multiply(block.shared_state != 0 ? 1 : block.max_workers, optimizer_stride(block));
}

}  // namespace

void check_options(const TrainOptions& options) {
  check_range("workers", options.workers, 1, max_processes);
  check_range("loaders", options.loaders, 1, max_processes);
  if (options.max_workers != 0) check_range("max-workers", options.max_workers, options.workers, max_processes);
  if (options.max_loaders != 0) check_range("max-loaders", options.max_loaders, options.loaders, max_processes);
  check_range("epochs", options.epochs, 1, max_epochs);
  check_range("evaluate-every", options.evaluate_every, 0, max_epochs);
  check_range("max-restarts", options.max_restarts, 0, max_restarts_allowed);
  if (!(options.lr > 0) || !std::isfinite(options.lr)) fail("--lr {}: must be above 0", options.lr);
  if (!(options.momentum >= 0 && options.momentum < 1))
    fail("--momentum {}: must be 0 to below 1", options.momentum);
  if (!(options.weight_decay >= 0) || !std::isfinite(options.weight_decay)) {
    fail("--weight-decay {}: must not be negative", options.weight_decay);
  }
  if (!(options.beta1 >= 0 && options.beta1 < 1)) fail("--beta1 {}: must be 0 to below 1", options.beta1);
  if (!(options.beta2 >= 0 && options.beta2 < 1)) fail("--beta2 {}: must be 0 to below 1", options.beta2);
  if (!(options.lr_gamma >= 0) || !std::isfinite(options.lr_gamma)) {
    fail("--lr-gamma {}: must not be negative", options.lr_gamma);
  }
  if (options.schedule == optim::Schedule::plateau && options.lr_gamma >= 1) {
    fail("--lr-gamma {}: must be below 1 with --schedule plateau", options.lr_gamma);
  }
  if (!(options.lr_power >= 0) || !std::isfinite(options.lr_power)) {
    fail("--lr-power {}: must not be negative", options.lr_power);
  }
  check_range("lr-period", options.lr_period, 0, max_epochs);
  check_range("warmup", options.warmup, 0, std::numeric_limits<std::int64_t>::max());
  if (options.optimizer == optim::Rule::lbfgs) refuse_closure_of_many(options, "--optimizer lbfgs");
  if (!(options.target_accuracy >= 0 && options.target_accuracy <= 1)) {
    fail("--target-accuracy {}: must be 0 to 1", options.target_accuracy);
  }
  check_replicas(options);
  check_rollback(options);
  check_publish_every(options);
  check_deterministic(options);
  check_range("nonfinite-limit", options.nonfinite_limit, 0, std::numeric_limits<std::int64_t>::max());
  // Below the shortest, waiting itself would look like a hang.
  if (options.hang_timeout != 0 &&
      !(options.hang_timeout >= shortest_hang_timeout && options.hang_timeout <= day)) {
    fail("--hang-timeout {}: must be 0 (never) or {} to {} seconds", options.hang_timeout, shortest_hang_timeout,
         day);
  }
  if (!(options.grace >= 0 && options.grace <= day))
    fail("--grace {}: must be 0 to {} seconds", options.grace, day);
  check_range("checkpoint-every", options.checkpoint_every, 1, max_epochs);
  check_range("checkpoint-keep", options.checkpoint_keep, 1, std::numeric_limits<std::int64_t>::max());
  if (options.resume && options.checkpoint.empty()) fail("--resume: --checkpoint DIR must say from where");
  if (options.deterministic && !options.checkpoint.empty()) {
    fail("--checkpoint with --deterministic: its rounds cannot be taken up again; leave one of them out");
  }
}

JobBlock plan_job(const TrainOptions& options, const JobDescription& description, int cores) {
  check_options(options);
  if (description.samples < 1) fail("the data set to train on is empty");
  if (options.target_accuracy > 0 && description.test_samples == 0) {
    fail("--target-accuracy {}: the job has no data to test on", options.target_accuracy);
  }
  if (options.schedule == optim::Schedule::plateau && description.test_samples == 0) {
    fail("--schedule plateau: the job has no data to test on, whose loss it goes by");
  }
  if (options.evaluate_every == 0 && options.target_accuracy > 0) {
    fail("--target-accuracy {}: needs evaluations, and --evaluate-every is 0", options.target_accuracy);
  }
  if (options.evaluate_every == 0 && options.schedule == optim::Schedule::plateau) {
    fail("--schedule plateau: needs evaluations, and --evaluate-every is 0");
  }
  if (description.needs_closure) {
    refuse_closure_of_many(options, "this job's optimizer");
    refuse_closure_that_publishes_seldom(options, "this job's optimizer");
  }
  if (options.batch < 1 || options.batch > description.samples) {
    fail("--batch {}: must be 1 to {}, the number of samples", options.batch, description.samples);
  }
  JobBlock block{};
  if (description.fields.empty() || description.fields.size() > std::size(block.fields)) {
    fail("the data set has {} fields, allowed are 1 to {}", description.fields.size(), std::size(block.fields));
  }
  block.plan = {.samples = static_cast<std::uint64_t>(description.samples),
                .batch = static_cast<std::uint64_t>(options.batch),
                .seed = options.seed};
  block.epochs = static_cast<std::uint64_t>(options.epochs);
  block.workers = static_cast<std::uint32_t>(options.workers);
  block.loaders = static_cast<std::uint32_t>(options.loaders);
  const ProcessLimits limits = process_limits(options, cores);
  block.max_workers = limits.workers;
  block.max_loaders = limits.loaders;
  block.publish_every = static_cast<std::uint32_t>(options.publish_every);
  block.nodes = options.replicas ? nodes_of(options) : 0;
  block.deterministic = options.deterministic ? 1 : 0;
  // Each worker holds what it publishes at once and finds two more ready while each loader fills one. Where that is
  // more than a ring has, workers publish what they hold once they find no more.
  block.slots = std::min<std::uint32_t>((block.publish_every + 2) * block.max_workers + block.max_loaders + 1,
                                        shm::SlotRing::max_slots);
  block.spins = spins_of(options.workers, options.loaders, cores);
  block.rule = options.optimizer;
  block.policy = options.policy;
  block.rule_options = rule_options(options);
  block.schedule = schedule_options(options);
  block.evaluate_every = static_cast<std::uint64_t>(options.evaluate_every);
  block.target_accuracy = options.target_accuracy;
  block.shared_state = options.shared_state ? 1 : 0;
  block.optimizer_bytes = description.optimizer_bytes;
  block.parameter_bytes = description.parameter_bytes;
  block.field_count = static_cast<std::uint32_t>(description.fields.size());
  for (std::size_t i = 0; i < description.fields.size(); ++i) {
    const data::Field& field = description.fields[i];
    JobBlock::FieldRecord& record = block.fields[i];
    if (field.name.empty() || field.name.size() >= sizeof record.name) {
      fail("field name '{}' must have 1 to {} characters", field.name, sizeof record.name - 1);
    }
    std::memcpy(record.name, field.name.data(), field.name.size());
    record.dtype = field.dtype;
    record.dims = field.shape.dims();
    std::copy(field.shape.begin(), field.shape.end(), record.sizes);
  }
  block.tensor_count = description.tensor_count;
  block.tensor_name_bytes = description.tensor_name_bytes;
  block.staleness_scale = options.staleness_scale ? 1 : 0;
  block.on_nonfinite = options.on_nonfinite;
  block.nonfinite_limit = static_cast<std::uint64_t>(options.nonfinite_limit);
  block.tensor_records = description.tensor_records;
  return block;
}

ProcessLimits process_limits(const TrainOptions& options, int cores) {
  return {options.deterministic ? static_cast<std::uint32_t>(options.workers)
                                : most_processes(options.max_workers, options.workers, cores),
          most_processes(options.max_loaders, options.loaders, cores)};
}

std::int32_t spins_of(std::int64_t workers, std::int64_t loaders, int cores) noexcept {
  return workers + loaders + 1 <= cores ? spins_before_sleep : 0;
}

std::size_t slot_bytes(const data::BatchLayout& layout) {
  return align_up(layout.size_bytes(), control_line_bytes);
}

shm::ArenaPlan plan_arena(const JobBlock& block, std::size_t slot_bytes) {
  shm::ArenaPlan plan;
  plan.add("job", sizeof(JobBlock));
  plan.add("control", sizeof(ControlBlock));
  plan.add("checkpoint", sizeof(CheckpointBlock));
  plan.add("ring", shm::SlotRing::size_bytes(block.slots));
  plan.add("ledger", Ledger::size_bytes(block.slots, block.epochs));
  plan.add("workers", checked_multiply(block.max_workers, sizeof(WorkerBlock)));
  plan.add("loaders", checked_multiply(block.max_loaders, sizeof(LoaderBlock)));
  plan.add("evaluator", sizeof(EvaluatorBlock));
  plan.add("evaluations", checked_multiply(block.epochs + 1, sizeof(Evaluation)));
  plan.add("parameters", block.parameter_bytes);
  plan.add("optimizers", all_states_bytes(block));
  plan.add("batches", checked_multiply(block.slots, slot_bytes));
  plan.add("stripes", stripe_count * sizeof(shm::OwnerLock));
  if (block.nodes != 0) plan.add("replicas", Replicas::size_bytes(block.nodes, block.parameter_bytes));
  if (block.deterministic != 0) {
    plan.add("turnstile", Turnstile::size_bytes(block.max_workers, block.parameter_bytes, block.optimizer_bytes));
  }
  JobMeters::plan(plan, block);
  plan.add("steering", sizeof(SteeringBlock));
  plan.add("tensors", checked_multiply(block.tensor_records, sizeof(TensorRecord)));
  Rollback::plan(plan, block, all_states_bytes(block));
  return plan;
}

JobArena JobArena::create(int memfd, const JobBlock& block) {
  const data::BatchLayout layout(checked_fields(block), static_cast<std::int64_t>(block.plan.batch));
  shm::Arena arena = shm::Arena::create(memfd, plan_arena(block, feral::slot_bytes(layout)));
  arena.object<JobBlock>("job") = block;
  auto& steering = arena.object<SteeringBlock>("steering");
  steering.workers_wanted.store(block.workers, std::memory_order_relaxed);
  steering.loaders_wanted.store(block.loaders, std::memory_order_relaxed);
  steering.spins.store(block.spins, std::memory_order_relaxed);
  shm::SlotRing ring = shm::SlotRing::create(arena.region("ring"), block.slots,
                                             checked_multiply(block.plan.batches_per_epoch(), block.epochs));
  return JobArena(std::move(arena), ring);
}

JobArena JobArena::attach(int memfd) {
  shm::Arena arena = shm::Arena::attach(memfd);
  const shm::SlotRing ring = shm::SlotRing::attach(arena.region("ring"));
  return JobArena(std::move(arena), ring);
}

JobArena JobArena::attach_to_read(int memfd) {
  shm::Arena arena = shm::Arena::attach(memfd, shm::Access::read_only);
  const shm::SlotRing ring = shm::SlotRing::attach(arena.region("ring"));
  return JobArena(std::move(arena), ring);
}

JobArena::JobArena(shm::Arena arena, shm::SlotRing ring)
    : arena_(std::move(arena)),
      job_(&arena_.object<JobBlock>("job")),
      control_(&arena_.object<ControlBlock>("control")),
      checkpoint_(&arena_.object<CheckpointBlock>("checkpoint")),
      steering_(&arena_.object<SteeringBlock>("steering")),
      ring_(ring),
      ledger_(arena_.region("ledger"), job_->plan, job_->slots, job_->epochs),
      workers_(arena_.array<WorkerBlock>("workers", job_->max_workers)),
      loaders_(arena_.array<LoaderBlock>("loaders", job_->max_loaders)),
      evaluator_(&arena_.object<EvaluatorBlock>("evaluator")),
      evaluations_(arena_.array<Evaluation>("evaluations", job_->epochs + 1)),
      parameters_(arena_.region("parameters")),
      tensors_(arena_.array<TensorRecord>("tensors", job_->tensor_records)),
      optimizers_(arena_.region("optimizers")),
      batches_(arena_.region("batches")),
      stripes_(arena_.array<shm::OwnerLock>("stripes", stripe_count)),
      layout_(checked_fields(*job_), static_cast<std::int64_t>(job_->plan.batch)),
      slot_bytes_(feral::slot_bytes(layout_)),
      optimizer_stride_(optimizer_stride(*job_)),
      meters_(arena_, *job_),
      rollback_(arena_, *job_, all_states_bytes(*job_)) {
  if (ring_.slot_count() != job_->slots || batches_.size() != job_->slots * slot_bytes_ ||
      optimizers_.size() != all_states_bytes(*job_) || job_->workers > job_->max_workers ||
      job_->loaders > job_->max_loaders || job_->plan.samples == 0 ||
      ring_.item_count() != checked_multiply(job_->plan.batches_per_epoch(), job_->epochs)) {
    fail("arena: the slot ring and the job block disagree");
  }
  if (job_->publish_every < 1 || job_->publish_every > longest_publish_every) {
    fail("arena: corrupt job block: publishes every {} batches", job_->publish_every);
  }
  if (job_->nodes != 0) replicas_.emplace(arena_.region("replicas"), job_->nodes, job_->parameter_bytes);
  if (job_->deterministic != 0) {
    turnstile_.emplace(arena_.region("turnstile"), job_->max_workers, job_->parameter_bytes, job_->optimizer_bytes);
  }
}

void JobArena::free_stripes_of_dead(shm::Owner worker) noexcept {
  if (replicas_) replicas_->release_dead(worker);
  for (shm::OwnerLock& stripe : stripes_) stripe.release_dead(worker);
}

void JobArena::request_stop(StopReason reason) noexcept {
  StopReason expected = StopReason::none;
  control_->stop.compare_exchange_strong(expected, reason, std::memory_order_relaxed);
  notify_all();
}

void JobArena::notify_all() noexcept {
  ring_.notify_all();
  control_->changed.notify_after_death();
  if (turnstile_) turnstile_->changed().notify_after_death();
}

std::uint64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace feral
