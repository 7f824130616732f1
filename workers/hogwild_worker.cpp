#include "workers/hogwild_worker.hpp"

#include <chrono>
#include <optional>

#include "core/fail.hpp"
#include "nn/flat_parameters.hpp"
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

  optim::SGD optimizer(model->parameters(),
                       {.lr = block.lr, .momentum = block.momentum, .weight_decay = block.weight_decay});
  if (block.shared_momentum != 0) optimizer.bind_state(arena.shared_momentum());

  WorkerBlock& own = arena.workers()[owner.index];
  const SlotBatches batches(arena);
  shm::SlotRing& ring = arena.ring();
  const std::uint64_t items = ring.item_count();
  while (const auto claim = next_batch(arena, owner)) {
    set_once(own.first_take_ns, monotonic_ns());
    // What the batch draws follows from its number, not from who trains it.
    default_generator().seek(block.plan.seed, batch_streams + claim->item);
    const double progress = static_cast<double>(claim->item) / static_cast<double>(items);
    optimizer.set_lr(block.lr * optim::schedule_factor(block.schedule, progress));
    const data::Batch& batch = batches.get(*claim);
    StepContext context{*model, batch, optimizer};
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
