#include "workers/hogwild_worker.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "tensor/generator.hpp"
#include "workers/job_functions.hpp"
#include "workers/job_gate.hpp"
#include "workers/job_rates.hpp"
#include "workers/parameter_access.hpp"
#include "workers/quiesce.hpp"
#include "workers/slot_batches.hpp"

namespace feral {
namespace {

// What batch numbers draw from, apart from the initial values in stream 0 and the order of samples.
constexpr std::uint64_t batch_streams = 1ULL << 32;

void wait_for_parameters(JobArena& arena, Heartbeat& heartbeat) {
  while (arena.control().published.load(std::memory_order_acquire) == 0 && !arena.stopping()) {
    const std::uint32_t key = arena.control().changed.key();
    if (arena.control().published.load(std::memory_order_acquire) != 0) return;
    heartbeat.wait();
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
        rates_(job, arena) {
    manual_seed(block_.plan.seed);
    model_ = build_model(job);
    wait_for_parameters(arena, own_.heartbeat);
    own_.heartbeat.end();
    const nn::FlatLayout layout = nn::flat_layout(*model_);
    if (arena.turnstile()) {
      nn::bind_parameters(layout, arena.turnstile()->copy_of(owner.index));
      stretches_.emplace(layout);
    } else {
      access_.emplace(layout, arena.parameters_of(owner.index), block_.policy, block_.publish_every);
      if (arena.replicas()) stretches_.emplace(layout);
    }
    model_->train();
    build_optimizer_of_worker();
    held_.reserve(block_.publish_every);
  }

  void run() {
    if (arena_.turnstile()) {
      run_in_turns(*arena_.turnstile());
    } else {
      run_freely();
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
    if (block_.policy == Policy::locked) optimizer_->set_lock(arena_.stripes(), owner_);
    gate_.emplace(arena_, owner_, *model_, *optimizer_, access_ && !access_->has_copy());
  }

  // Batches as they come.
  void run_freely() {
    while (const auto claim = next_batch()) {
      if (!held_.empty() && block_.plan.epoch_of(claim->item) != block_.plan.epoch_of(held_.front().claim.item)) {
        publish();
      }
      if (held_.empty()) {
        access_->begin();
        if (access_->has_copy()) gate_->staleness().read();  // else the gate does
      }
      held_.push_back({*claim, train(*claim)});
      if (held_.size() == block_.publish_every) publish();
    }
    own_.heartbeat.wait();
    if (arena_.replicas()) arena_.replicas()->leave(owner_, *stretches_, arena_.parameters());
  }

  // Waits for a batch; nothing when the job is over, or goes on with fewer workers. Whoever waits or leaves has
  // published what it had: others may be waiting for that to be done.
  std::optional<shm::SlotClaim> next_batch() {
    shm::SlotRing& ring = arena_.ring();
    const SteeringBlock& steering = arena_.steering();
    for (;;) {
      const bool leaving =
          arena_.stopping() || owner_.index >= steering.workers_wanted.load(std::memory_order_relaxed);
      const bool paused = !may_begin_batch(arena_);
      const std::uint32_t key = ring.ready_event().key();
      if (!leaving && !paused && steering.paused.load(std::memory_order_relaxed) == 0) {
        if (const auto claim = ring.try_take(owner_)) {
          if (may_begin_batch(arena_)) return claim;
          ring.put_back(*claim);
          continue;
        }
      }
      publish();
      // Nobody leaves before all is done: a batch that another worker holds comes back if that worker dies.
      if (leaving || ring.all_done()) return std::nullopt;
      own_.heartbeat.wait();
      if (paused) {
        if (arena_.replicas()) arena_.replicas()->leave(owner_, *stretches_, arena_.parameters());
        wait_out_pause(arena_);
        continue;
      }
      ring.ready_event().wait(key, steering.spins.load(std::memory_order_relaxed), longest_wait);
    }
  }

  // The shared parameters learn of the batches held.
  void publish() {
    if (held_.empty()) return;
    access_->publish();
    if (access_->has_copy()) gate_->staleness().written();
    published();
    if (arena_.replicas()) arena_.replicas()->batch_done(owner_, *stretches_, arena_.parameters());
  }

  // The update of the batches held is in the shared parameters: they are done.
  void published() {
    for (const Trained& trained : held_) commit(trained.claim, trained.loss);
    held_.clear();
    own_.heartbeat.end();
  }

  // --deterministic: the batches that are this worker's by their number, round by round.
  void run_in_turns(Turnstile& turnstile) {
    const std::uint64_t workers = block_.workers;
    const std::uint64_t items = arena_.ring().item_count();
    for (;;) {
      // A replacement goes on in the round that its predecessor was in.
      const std::uint64_t round = turnstile.ended(owner_.index);
      if (!wait_for_version(turnstile, round)) return;
      if (round > 0 && !finish_turn(turnstile, (round - 1) * workers + owner_.index)) return;
      const std::uint64_t item = round * workers + owner_.index;
      if (item >= items) break;
      const auto claim = wait_for_item(item);
      if (!claim) return;
      turnstile.begin(owner_.index, arena_.parameters(), arena_.optimizer_state(owner_.index));
      gate_->staleness().read();
      held_.push_back({*claim, train(*claim)});
      turnstile.end(owner_.index, held_.back().loss);
      gate_->staleness().written();
    }
    wait_until(arena_.ring().ready_event(), [&] { return arena_.ring().all_done(); });
  }

  // Waits until the parameters are that version, which worker 0 sees to; false when the job is stopped.
  bool wait_for_version(Turnstile& turnstile, std::uint64_t round) {
    if (turnstile.version() >= round) return true;
    const std::uint64_t begun_ns = monotonic_ns();
    bool reached = false;
    if (owner_.index == 0) {
      const std::uint64_t first_item = (round - 1) * block_.workers;
      const auto count = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(block_.workers, arena_.ring().item_count() - first_item));
      reached = wait_until(turnstile.changed(), [&] { return turnstile.all_ended(count, round); });
      if (reached) turnstile.advance(count, *stretches_, arena_.parameters());
    } else {
      // Nobody waits for a worker without a batch in the last round: that version may be past already.
      reached = wait_until(turnstile.changed(), [&] { return turnstile.version() >= round; });
    }
    turnstile.add_waited(owner_.index, monotonic_ns() - begun_ns);
    return reached;
  }

  // The item of the last round is done, whether this worker trained on it or its predecessor. False when the job is
  // stopped.
  bool finish_turn(Turnstile& turnstile, std::uint64_t item) {
    if (held_.empty()) {
      if (arena_.ring().is_done(item)) return true;
      const auto claim = wait_for_item(item);
      if (!claim) return false;
      held_.push_back({*claim, turnstile.loss(owner_.index)});
    }
    published();
    return true;
  }

  // Nothing when the job is stopped.
  std::optional<shm::SlotClaim> wait_for_item(std::uint64_t item) {
    std::optional<shm::SlotClaim> claim;
    wait_until(arena_.ring().ready_event(), [&] {
      if (arena_.steering().paused.load(std::memory_order_relaxed) != 0) return false;
      return (claim = arena_.ring().try_take_item(owner_, item)).has_value();
    });
    return claim;
  }

  // False when the job is stopped first.
  template <class Condition>
  bool wait_until(shm::EventCount& event, const Condition& condition) {
    for (;;) {
      if (arena_.stopping()) return false;
      const std::uint32_t key = event.key();
      if (condition()) return true;
      own_.heartbeat.wait();
      event.wait(key, arena_.steering().spins.load(std::memory_order_relaxed), longest_wait);
    }
  }

  // One step on the batch; answers its mean loss.
  double train(const shm::SlotClaim& claim) {
    own_.heartbeat.begin(claim.item);
    set_once(own_.first_take_ns, monotonic_ns());
    // What the batch draws follows from its number, not from who trains it.
    default_generator().seek(block_.plan.seed, batch_streams + claim.item);
    rates_.apply(*optimizer_, claim.item);
    gate_->begin(claim.item);
    StepContext context{*model_, batches_.get(claim), *optimizer_};
    return run_step(job_, context);
  }

  // The batch is trained on and published: it goes into the ledger, and its slot back to the loaders.
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

  // A batch that was trained on and is not published yet.
  struct Trained {
    shm::SlotClaim claim;
    double loss;
  };

  const Job& job_;
  JobArena& arena_;
  const JobBlock& block_;
  shm::Owner owner_;
  WorkerBlock& own_;
  SlotBatches batches_;
  JobRates rates_;
  std::unique_ptr<nn::Module> model_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<ParameterAccess> access_;        // but with a turnstile
  std::optional<ParameterStretches> stretches_;  // with a turnstile or replicas
  std::vector<Trained> held_;                    // at most publish_every
  std::optional<JobGate> gate_;
};

}  // namespace

void run_hogwild_worker(const Job& job, JobArena& arena, shm::Owner owner) {
  HogwildWorker(job, arena, owner).run();
}

}  // namespace feral
