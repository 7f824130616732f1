#include "workers/checkpoint_writer.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "core/fail.hpp"
#include "core/log.hpp"
#include "core/sizes.hpp"
#include "nn/flat_parameters.hpp"
#include "tensor/safetensors.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/parameter_stretches.hpp"
#include "workers/quiesce.hpp"

namespace feral {
namespace {

// How long a pause waits for batches that are being trained.
constexpr std::chrono::milliseconds patience_in_training{5000};
// The same when workers leave, a quarter of the time that they have for it at most.
std::chrono::milliseconds patience_at_end(double grace_seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(1000.0, grace_seconds * 250)));
}
// How long workers hold still for a copy at most; one that takes longer is noticed.
std::chrono::milliseconds hold_for(std::uint64_t bytes) {
  constexpr std::uint64_t bytes_per_millisecond = 256 << 10;  // a slow machine's
  return std::chrono::milliseconds(2000 + bytes / bytes_per_millisecond);
}

// The accuracy of the best one so far, as an earlier evaluator left it.
std::optional<double> accuracy_of_best(const std::filesystem::path& folder) {
  const std::filesystem::path best = best_checkpoint_path(folder);
  if (!std::filesystem::exists(best)) return std::nullopt;
  try {
    const CheckpointRecord record = record_of(check_safetensors(best).metadata, best.string());
    if (!record.evaluations.empty()) return record.evaluations.back().accuracy;
  } catch (const Error&) {  // a damaged one is replaced by the next
  }
  return std::nullopt;
}

}  // namespace

std::string optimizer_state_prefix(std::uint32_t worker) { return fmt::format("optimizer.{}.", worker); }

CheckpointWriter::CheckpointWriter(const Job& job, const TrainOptions& options, JobArena& arena,
                                   const nn::Module& model, optim::Optimizer& optimizer)
    : job_(job),
      options_(options),
      arena_(arena),
      model_(model),
      optimizer_(optimizer),
      states_offset_(align_up(arena.job().parameter_bytes, tensor_alignment_bytes)),
      state_stride_(align_up(arena.job().optimizer_bytes, tensor_alignment_bytes)) {
  for (const auto& [name, tensor] : model.state_dict()) {
    if (name.starts_with("optimizer.")) {
      fail("--checkpoint: the model's '{}' is named like an optimizer's state in a checkpoint; rename it", name);
    }
  }
  std::signal(SIGXFSZ, SIG_IGN);  // past a limit of file sizes a write fails, instead of ending the process
  const std::size_t states = arena.job().shared_state != 0 ? 1 : arena.job().max_workers;
  const std::size_t bytes = checked_add(states_offset_, checked_multiply(states, state_stride_));
  copy_ = Tensor::empty({static_cast<std::int64_t>(bytes)}, DType::uint8);
  in_use_ = mark_in_use(options.checkpoint);
  remove_temporaries(options.checkpoint);  // of a predecessor that was killed
  best_ = accuracy_of_best(options.checkpoint);
}

bool CheckpointWriter::asked() const noexcept {
  const CheckpointBlock& block = arena_.checkpoint();
  return block.requests.load(std::memory_order_relaxed) != block.answered.load(std::memory_order_relaxed);
}

void CheckpointWriter::write(Occasion occasion) {
  arena_.evaluator().heartbeat.wait();  // for the disk: a slow one is no hang
  // A fuzzy one waits for nobody, but at the end, when that costs nothing.
  const auto patience = occasion == Occasion::end                              ? patience_at_end(options_.grace)
                        : options_.checkpoint_mode == CheckpointMode::quiesced ? patience_in_training
                                                                               : std::chrono::milliseconds(0);
  CheckpointBlock& block = arena_.checkpoint();
  const std::uint64_t requests = block.requests.load(std::memory_order_relaxed);
  const auto count = [](std::atomic<std::uint64_t>& word) {
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  };
  try {
    const CheckpointRecord record = take(patience);
    write_copy(record, occasion);
    block.newest.store(record.position.done_count() + 1, std::memory_order_relaxed);
    count(block.written);
    failing_ = false;
  } catch (const std::exception& error) {
    count(block.failed);
    if (!std::exchange(failing_, true)) {
      log::warning("no checkpoint was written, training goes on: {}", error.what());
    }
  }
  block.answered.store(requests, std::memory_order_release);
  arena_.control().changed.notify();
}

CheckpointRecord CheckpointWriter::take(std::chrono::milliseconds patience) {
  CheckpointRecord record;
  if (patience.count() == 0) {
    record = record_now();
    copy_out();
    return record;
  }
  Quiesce quiesce(arena_, patience, hold_for(static_cast<std::uint64_t>(copy_.numel())));
  record = record_now();
  copy_out();
  // Replicas may hold more than has been brought to the common parameters, until their workers have left.
  const bool complete = !arena_.replicas() || arena_.control().training_over.load(std::memory_order_acquire) != 0;
  if (complete && quiesce.holds()) {
    record.mode = CheckpointMode::quiesced;
  } else if (options_.checkpoint_mode == CheckpointMode::quiesced) {
    log::warning("{}: the checkpoint of step {} is a fuzzy one",
                 complete ? "a worker did not pause in time" : "with --replicas workers do not pause",
                 record.position.done_count());
  }
  return record;
}

void CheckpointWriter::copy_out() {
  const JobBlock& job = arena_.job();
  copy_live({copy_.raw_data(), arena_.parameters().size()}, arena_.parameters());
  states_.clear();
  for (std::uint32_t i = 0; i < (job.shared_state != 0 ? 1 : job.max_workers); ++i) {
    if (job.shared_state == 0 && arena_.workers()[i].state_made.load(std::memory_order_relaxed) == 0) continue;
    const std::span<const std::byte> state = arena_.optimizer_state(i);
    copy_live({copy_.raw_data() + states_offset_ + i * state_stride_, state.size()}, state);
    states_.push_back(i);
  }
}

CheckpointRecord CheckpointWriter::record_now() const {
  const JobBlock& job = arena_.job();
  CheckpointRecord record;
  record.model = job_.name;
  record.data = job_.data_name;
  record.plan = job.plan;
  record.epochs = job.epochs;
  record.optimizer = optim::name_of(job.rule);
  record.shared_state = job.shared_state != 0;
  record.workers = job.workers;
  record.position = position_of(arena_.ring());
  for (std::uint64_t epoch = 0; epoch < job.epochs && epoch * job.plan.batches_per_epoch() < record.position.end();
       ++epoch) {
    const EpochTotals totals = arena_.ledger().totals(arena_.ring(), epoch);
    record.loss_sums.push_back(totals.loss_sum);
    record.loss_samples.push_back(totals.loss_samples);
  }
  // The final figure is the last epoch's.
  for (std::uint64_t i = 0; i <= job.epochs; ++i) {
    const Evaluation& evaluation = arena_.evaluations()[i];
    if (evaluation.done.load(std::memory_order_acquire) == 0) continue;
    // One that a target or a stop ended early measured no whole epoch.
    const std::uint64_t epoch = i < job.epochs ? i : record.position.low_water() / job.plan.batches_per_epoch();
    if (i == job.epochs && epoch != job.epochs) continue;
    record.evaluations.push_back(
        {.epoch = std::min(epoch, job.epochs - 1), .accuracy = evaluation.accuracy, .loss = evaluation.loss});
  }
  return record;
}

std::map<std::string, Tensor> CheckpointWriter::tensors_of_copy() const {
  std::map<std::string, Tensor> tensors;
  const std::span<std::byte> region = arena_.parameters();
  for (const auto& [name, tensor] : model_.state_dict()) {
    const auto offset = static_cast<std::size_t>(tensor.raw_data() - region.data());
    FERAL_ASSERT(offset < region.size() || tensor.numel() == 0);
    tensors.emplace(name, Tensor::borrow(copy_.raw_data() + offset, tensor.shape(), tensor.dtype()));
  }
  for (const std::uint32_t i : states_) {
    std::byte* state = copy_.raw_data() + states_offset_ + i * state_stride_;
    optimizer_.bind_state({state, arena_.job().optimizer_bytes}, optim::Optimizer::Sharing::one);
    for (const optim::NamedState& part : optimizer_.named_state()) {
      tensors.emplace(optimizer_state_prefix(i) + part.name, part.tensor);
    }
  }
  return tensors;
}

void CheckpointWriter::write_copy(const CheckpointRecord& record, Occasion occasion) {
  const std::filesystem::path folder = options_.checkpoint;
  const std::uint64_t step = record.position.done_count();
  save_safetensors(checkpoint_path(folder, step), tensors_of_copy(), metadata_of(record));
  prune_checkpoints(folder, step, options_.checkpoint_keep);
  const std::optional<double> now = accuracy(record, occasion);
  if (!now || (best_ && !(*now > *best_))) return;
  keep_as_best(folder, step);
  best_ = now;
}

std::optional<double> CheckpointWriter::accuracy(const CheckpointRecord& record, Occasion occasion) const {
  const Evaluation& last = arena_.evaluations()[arena_.job().epochs];
  if (occasion == Occasion::end && last.done.load(std::memory_order_acquire) != 0) return last.accuracy;
  if (occasion == Occasion::measured && !record.evaluations.empty()) return record.evaluations.back().accuracy;
  return std::nullopt;
}

}  // namespace feral
