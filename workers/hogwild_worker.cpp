#include "workers/hogwild_worker.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "core/fail.hpp"
#include "nn/flat_parameters.hpp"
#include "optim/plateau.hpp"
#include "tensor/generator.hpp"
#include "workers/job_functions.hpp"

namespace feral {
namespace {

// What batch numbers draw from, apart from the initial values in stream 0 and the order of samples.
constexpr std::uint64_t batch_streams = 1ULL << 32;

void wait_for_parameters(JobArena& arena) {
  while (arena.control().published.load(std::memory_order_acquire) == 0 && !arena.stopping()) {
    const std::uint32_t key = arena.control().changed.key();
    if (arena.control().published.load(std::memory_order_acquire) != 0) return;
    arena.control().changed.wait(key, 0, longest_wait);
  }
}

// The slots as tensors, made once: whole batches, and the shorter ones that end an epoch.
class SlotBatches {
 public:
  explicit SlotBatches(JobArena& arena) : plan_(arena.job().plan) {
    const auto rest = static_cast<std::int64_t>(plan_.samples % plan_.batch);
    for (std::uint32_t slot = 0; slot < arena.job().slots; ++slot) {
      std::byte* memory = arena.slot_memory(slot);
      whole_.emplace_back(arena.batch_layout(), memory, arena.batch_layout().capacity());
      if (rest != 0) last_.emplace_back(arena.batch_layout(), memory, rest);
    }
  }

  const data::Batch& get(const shm::SlotClaim& claim) const {
    return plan_.samples_of(claim.item) == plan_.batch ? whole_[claim.slot] : last_[claim.slot];
  }

 private:
  EpochPlan plan_;
  std::vector<data::Batch> whole_;
  std::vector<data::Batch> last_;
};

// The learning rates at a batch: by its number alone, or by the losses that the evaluator has measured.
class RatesOfJob {
 public:
  RatesOfJob(const Job& job, JobArena& arena)
      : arena_(arena),
        schedule_(build_schedule(
            job, arena.job().schedule,
            {.steps = arena.ring().item_count(), .steps_per_epoch = arena.job().plan.batches_per_epoch()})),
        follows_loss_(!job.schedule && arena.job().schedule.schedule == optim::Schedule::plateau),
        plateau_{.factor = optim::gamma_of(arena.job().schedule),
                 .patience = arena.job().schedule.period == 0
                                 ? std::int64_t{3}
                                 : static_cast<std::int64_t>(arena.job().schedule.period)} {
    if (follows_loss_) losses_.reserve(arena.job().epochs);
  }

  void apply(optim::Optimizer& optimizer, std::uint64_t item) {
    schedule_.apply(optimizer, item);
    if (!follows_loss_) return;
    look_for_losses(arena_.job().plan.epoch_of(item));
    for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
      optimizer.set_lr(group, plateau_.lr(optimizer.lr(group), losses_));
    }
  }

 private:
  // Epochs are measured in their order; some never are, where training outruns evaluation.
  void look_for_losses(std::uint64_t epoch) {
    const std::uint32_t key = arena_.control().changed.key();
    if (key == seen_) return;
    seen_ = key;
    for (std::uint64_t e = next_; e < epoch; ++e) {
      const Evaluation& evaluation = arena_.evaluations()[e];
      if (evaluation.done.load(std::memory_order_acquire) == 0) continue;
      losses_.push_back(evaluation.loss);
      next_ = e + 1;
    }
  }

  JobArena& arena_;
  optim::LRSchedule schedule_;
  bool follows_loss_;
  optim::ReduceLROnPlateau plateau_;
  std::vector<double> losses_;
  std::uint64_t next_ = 0;  // the first epoch whose loss is not known
  std::uint32_t seen_ = 0;  // of the event that the evaluator notifies
};

std::optional<shm::SlotClaim> next_batch(JobArena& arena, shm::Owner owner) {
  shm::SlotRing& ring = arena.ring();
  for (;;) {
    if (arena.stopping()) return std::nullopt;
    const std::uint32_t key = ring.ready_event().key();
    if (const auto claim = ring.try_take(owner)) return claim;
    // Nobody leaves before all is done: a batch that another worker holds comes back if that worker dies.
    if (ring.all_done()) return std::nullopt;
    ring.ready_event().wait(key, arena.job().spins, longest_wait);
  }
}

void set_once(std::atomic<std::uint64_t>& word, std::uint64_t value) {
  if (word.load(std::memory_order_relaxed) == 0) word.store(value, std::memory_order_relaxed);
}

}  // namespace

void run_hogwild_worker(const Job& job, JobArena& arena, shm::Owner owner) {
  const JobBlock& block = arena.job();
  manual_seed(block.plan.seed);
  const std::unique_ptr<nn::Module> model = build_model(job);
  const nn::FlatLayout layout = nn::flat_layout(*model);
  wait_for_parameters(arena);
  nn::bind_parameters(layout, arena.parameters());
  model->train();

  const std::unique_ptr<optim::Optimizer> optimizer = build_optimizer(job, *model, block.rule, block.rule_options);
  if (block.shared_state != 0) optimizer->bind_state(arena.optimizer_state());
  if (block.policy == Policy::locked) optimizer->set_lock(&arena.control().update_lock, owner);

  WorkerBlock& own = arena.workers()[owner.index];
  const SlotBatches batches(arena);
  shm::SlotRing& ring = arena.ring();
  const std::uint64_t items = ring.item_count();
  RatesOfJob rates(job, arena);
  while (const auto claim = next_batch(arena, owner)) {
    set_once(own.first_take_ns, monotonic_ns());
    // What the batch draws follows from its number, not from who trains it.
    default_generator().seek(block.plan.seed, batch_streams + claim->item);
    rates.apply(*optimizer, claim->item);
    const data::Batch& batch = batches.get(*claim);
    StepContext context{*model, batch, *optimizer};
    const double loss = run_step(job, context);
    const std::uint64_t now = monotonic_ns();
    set_once(own.first_step_ns, now);
    own.last_update_ns.store(now, std::memory_order_relaxed);
    own.steps.store(own.steps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    arena.ledger().record(*claim, static_cast<std::uint64_t>(batch.size()), loss);
    ring.finish(*claim);
    const bool slot_enters_epoch =
        block.plan.epoch_of(claim->item) != block.plan.epoch_of(claim->item + block.slots);
    if (slot_enters_epoch) arena.control().changed.notify();
    if (claim->item + block.slots >= items) ring.notify_all();  // others may be waiting for the end
  }
}

}  // namespace feral
