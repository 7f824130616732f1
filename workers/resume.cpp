#include "workers/resume.hpp"

#include <algorithm>

#include "core/fail.hpp"
#include "tensor/safetensors.hpp"
#include "workers/checkpoint_writer.hpp"

namespace feral {
namespace {

template <class T>
void check_same(const std::string& file, const char* what, const T& before, const T& now) {
  if (before == now) return;
  fail("--resume: {} was written with {} {}, now it is {}; give the same, or begin anew in another folder", file,
       what, before, now);
}

}  // namespace

void check_resumable(const CheckpointRecord& record, const JobBlock& block, const std::string& model,
                     const std::string& file) {
  check_same(file, "the model", record.model, model);
  check_same(file, "training samples:", record.plan.samples, block.plan.samples);
  check_same(file, "--batch", record.plan.batch, block.plan.batch);
  check_same(file, "--seed", record.plan.seed, block.plan.seed);
  check_same(file, "--optimizer", record.optimizer, std::string(optim::name_of(block.rule)));
  check_same(file, "--shared-state", std::string(record.shared_state ? "on" : "off"),
             std::string(block.shared_state != 0 ? "on" : "off"));
  const std::uint64_t per_epoch = block.plan.batches_per_epoch();
  const std::uint64_t all = per_epoch * block.epochs;
  if (record.position.end() > all) {
    fail("--resume: {} is in epoch {}, --epochs is {}", file, (record.position.end() - 1) / per_epoch + 1,
         block.epochs);
  }
  if (record.position.done_count() == all) {
    fail("--resume: {} is that of a finished run: all of its {} epochs are done; more --epochs train on", file,
         block.epochs);
  }
}

std::uint64_t restore_position(const CheckpointRecord& record, JobArena& arena) {
  const JobPosition position = position_for(record.position, arena.ring().slot_count());
  arena.ring().start_at(position.turns);
  const EpochPlan& plan = arena.job().plan;
  for (std::uint64_t epoch = 0; epoch < arena.job().epochs; ++epoch) {
    const std::uint64_t before = record.position.samples_done(plan, epoch);
    if (before == 0 && epoch * plan.batches_per_epoch() >= record.position.end()) break;
    const std::uint64_t samples = position.samples_done(plan, epoch);
    const double loss = epoch < record.loss_sums.size() ? record.loss_sums[epoch] : 0;
    arena.ledger().restore(
        arena.ring(), epoch,
        {.samples = samples,
         // What of it came from batches that are done again is not known.
         .loss_sum = before == samples ? loss : loss * static_cast<double>(samples) / static_cast<double>(before),
         .loss_samples = samples});
  }
  for (const CheckpointRecord::Measured& measured : record.evaluations) {
    if (measured.epoch >= arena.job().epochs) continue;
    Evaluation& evaluation = arena.evaluations()[measured.epoch];
    evaluation.accuracy = measured.accuracy;
    evaluation.loss = measured.loss;
    evaluation.done.store(1, std::memory_order_release);
  }
  arena.checkpoint().resumed = record.position.done_count() + 1;
  arena.checkpoint().newest.store(arena.checkpoint().resumed, std::memory_order_relaxed);
  return record.position.done_count() - position.done_count();
}

void restore_values(const std::filesystem::path& file, nn::Module& model, optim::Optimizer& optimizer,
                    JobArena& arena) {
  const SafetensorsFile content = load_safetensors(file);
  if (!content.checked) fail("{}: has no checksums", file.string());
  const std::uint32_t indices = arena.job().shared_state != 0 ? 1 : arena.job().max_workers;
  std::vector<std::map<std::string, Tensor>> states(indices);
  nn::StateDict weights;
  constexpr std::string_view start = "optimizer.";
  for (const auto& [name, tensor] : content.tensors) {
    if (!name.starts_with(start)) {
      weights.emplace(name, tensor);
      continue;
    }
    for (std::uint32_t i = 0; i < indices; ++i) {
      const std::string prefix = optimizer_state_prefix(i);
      if (name.starts_with(prefix)) states[i].emplace(name.substr(prefix.size()), tensor);
    }
  }
  try {
    model.load_state_dict(weights);
    for (std::uint32_t i = 0; i < indices; ++i) {
      if (states[i].empty()) continue;
      optimizer.bind_state(arena.optimizer_state(i), optim::Optimizer::Sharing::one);
      optimizer.load_state(states[i]);
      if (arena.job().shared_state == 0) arena.workers()[i].state_made.store(1, std::memory_order_relaxed);
    }
  } catch (const Error& error) {
    fail("--resume: {} does not fit the job: {}", file.string(), error.what());
  }
}

}  // namespace feral
