#include "workers/hogwild_worker.hpp"

#include <memory>
#include <optional>

#include "nn/flat_parameters.hpp"
#include "tensor/generator.hpp"
#include "workers/clip_gradients.hpp"
#include "workers/job_functions.hpp"
#include "workers/job_rates.hpp"
#include "workers/slot_batches.hpp"

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

void set_once(std::atomic<std::uint64_t>& word, std::uint64_t value) {
  if (word.load(std::memory_order_relaxed) == 0) word.store(value, std::memory_order_relaxed);
}

class HogwildWorker {
 public:
  HogwildWorker(const Job& job, JobArena& arena, shm::Owner owner)
      : job_(job),
        arena_(arena),
        block_(arena.job()),
        owner_(owner),
        own_(arena.workers()[owner.index]),
        batches_(arena),
        rates_(job, arena),
        clip_(arena.steering()) {
    manual_seed(block_.plan.seed);
    model_ = build_model(job);
    own_.heartbeat.wait();
    wait_for_parameters(arena);
    nn::bind_parameters(nn::flat_layout(*model_), arena.parameters());
    model_->train();
    build_optimizer_of_worker();
  }

  void run() {
    while (const auto claim = next_batch()) {
      own_.heartbeat.begin(claim->item);
      set_once(own_.first_take_ns, monotonic_ns());
      const double loss = train(*claim);
      commit(*claim, loss);
      own_.heartbeat.end();
    }
  }

 private:
  void build_optimizer_of_worker() {
    optimizer_ = build_optimizer(job_, *model_, block_.rule, block_.rule_options);
    const std::span<std::byte> state = arena_.optimizer_state(owner_.index);
    if (block_.shared_state != 0) {
      optimizer_->bind_state(state);
    } else {
      if (own_.state_made.load(std::memory_order_relaxed) == 0) {
        optimizer_->initialize_state(state);
        own_.state_made.store(1, std::memory_order_relaxed);
      }
      optimizer_->bind_state(state, optim::Optimizer::Sharing::one);
    }
    if (block_.policy == Policy::locked) optimizer_->set_lock(&arena_.control().update_lock, owner_);
    optimizer_->set_gate(&clip_);
  }

  // Waits for a batch; nothing when the job is over or goes on with fewer workers.
  std::optional<shm::SlotClaim> next_batch() {
    shm::SlotRing& ring = arena_.ring();
    const SteeringBlock& steering = arena_.steering();
    for (;;) {
      if (arena_.stopping()) return std::nullopt;
      if (owner_.index >= steering.workers_wanted.load(std::memory_order_relaxed)) return std::nullopt;
      const std::uint32_t key = ring.ready_event().key();
      if (steering.paused.load(std::memory_order_relaxed) == 0) {
        if (const auto claim = ring.try_take(owner_)) return claim;
      }
      // Nobody leaves before all is done: a batch that another worker holds comes back if that worker dies.
      if (ring.all_done()) return std::nullopt;
      own_.heartbeat.wait();
      ring.ready_event().wait(key, steering.spins.load(std::memory_order_relaxed), longest_wait);
    }
  }

  // One step on the batch; answers its mean loss.
  double train(const shm::SlotClaim& claim) {
    // What the batch draws follows from its number, not from who trains it.
    default_generator().seek(block_.plan.seed, batch_streams + claim.item);
    rates_.apply(*optimizer_, claim.item);
    StepContext context{*model_, batches_.get(claim), *optimizer_};
    return run_step(job_, context);
  }

  // The batch is trained on: it goes into the ledger, and its slot back to the loaders.
  void commit(const shm::SlotClaim& claim, double loss) {
    shm::SlotRing& ring = arena_.ring();
    const std::uint64_t now = monotonic_ns();
    set_once(own_.first_step_ns, now);
    own_.last_update_ns.store(now, std::memory_order_relaxed);
    own_.steps.store(own_.steps.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    arena_.ledger().record(claim, block_.plan.samples_of(claim.item), loss);
    ring.finish(claim);
    const bool slot_enters_epoch =
        block_.plan.epoch_of(claim.item) != block_.plan.epoch_of(claim.item + block_.slots);
    if (slot_enters_epoch) arena_.control().changed.notify();
    if (claim.item + block_.slots >= ring.item_count()) ring.notify_all();  // others may be waiting for the end
  }

  const Job& job_;
  JobArena& arena_;
  const JobBlock& block_;
  shm::Owner owner_;
  WorkerBlock& own_;
  SlotBatches batches_;
  JobRates rates_;
  ClipGate clip_;
  std::unique_ptr<nn::Module> model_;
  std::unique_ptr<optim::Optimizer> optimizer_;
};

}  // namespace

void run_hogwild_worker(const Job& job, JobArena& arena, shm::Owner owner) {
  HogwildWorker(job, arena, owner).run();
}

}  // namespace feral
