#include "workers/evaluator.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <numeric>

#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "nn/flat_parameters.hpp"
#include "tensor/cpu/info.hpp"
#include "tensor/generator.hpp"
#include "workers/checkpoint_folder.hpp"
#include "workers/job_functions.hpp"
#include "workers/resume.hpp"

namespace feral {
namespace {

using Occasion = CheckpointWriter::Occasion;

constexpr std::int64_t evaluation_batch = 250;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The last epoch up to `complete` that is to be evaluated; 0: none.
std::uint64_t last_due(std::uint64_t complete, std::uint64_t every) {
  return every == 0 ? 0 : complete / every * every;
}

// Whether nobody is going to ask for its figures.
bool leaves_now(JobArena& arena) {
  const StopReason reason = arena.control().stop.load(std::memory_order_relaxed);
  return reason == StopReason::requested || reason == StopReason::launcher_gone;
}

void stop_at_target(JobArena& arena, const Evaluation& evaluation) {
  const double target = arena.job().target_accuracy;
  if (target > 0 && evaluation.accuracy >= target) arena.request_stop(StopReason::target_reached);
}

std::vector<std::string> names_of(const nn::FlatLayout& layout) {
  std::vector<std::string> names;
  for (const auto& parameter : layout.parameters) names.push_back(parameter.name);
  return names;
}

}  // namespace

Evaluator::Evaluator(const Job& job, const TrainOptions& options) : job_(job), options_(options) {
  manual_seed(options.seed);
  model_ = build_model(job);
  optimizer_ = build_optimizer(job, *model_, options.optimizer, rule_options(options));
  train_data_ = build_train_data(job);
  test_data_ = build_test_data(job);
}

JobDescription Evaluator::describe() const {
  const nn::FlatLayout layout = nn::flat_layout(*model_);
  if (layout.parameters.empty()) fail("job: the model has no parameters; did it register its modules?");
  if (test_data_ && test_data_->size() < 1)
    fail("the data set to test on is empty; leave Job::test_data unset for none");
  return {.samples = train_data_->size(),
          .test_samples = test_data_ ? test_data_->size() : 0,
          .fields = train_data_->fields(),
          .parameter_bytes = layout.size_bytes,
          .parameter_elements = layout.elements,
          .optimizer_bytes = optimizer_->state_bytes(),
          .needs_closure = optimizer_->needs_closure(),
          .resident_bytes = resident_bytes() + train_data_->bytes_to_come(),
          .kernels = cpu::describe_kernels(),
          .tensor_count = layout.parameters.size(),
          .tensor_name_bytes = JobMeters::tensor_name_bytes(names_of(layout)),
          .tensor_records = tensor_record_count(layout)};
}

void Evaluator::publish(JobArena& arena) {
  const nn::FlatLayout layout = nn::flat_layout(*model_);
  const bool first = arena.control().published.load(std::memory_order_acquire) == 0;
  if (first) nn::copy_parameters(layout, arena.parameters());
  nn::bind_parameters(layout, arena.parameters());
  if (!options_.checkpoint.empty()) {
    checkpoints_ = std::make_unique<CheckpointWriter>(job_, options_, arena, *model_, *optimizer_);
  }
  if (first) {
    arena.meters().set_tensor_names(names_of(layout));
    write_tensor_table(layout, arena.tensors());
    if (arena.job().shared_state != 0) optimizer_->initialize_state(arena.optimizer_state(0));
    if (const std::uint64_t resumed = arena.checkpoint().resumed; resumed != 0) {
      restore_values(checkpoint_path(options_.checkpoint, resumed - 1), *model_, *optimizer_, arena);
    }
    if (arena.replicas()) arena.replicas()->fill(arena.parameters());
    arena.control().published.store(1, std::memory_order_release);
    arena.notify_all();
  }
  if (!checkpoints_) optimizer_.reset();
}

bool Evaluator::evaluate(JobArena& arena, Evaluation& into) {
  const NoGradGuard no_grad;
  model_->eval();
  const std::int64_t samples = test_data_->size();
  const data::BatchLayout layout(test_data_->fields(), std::min(evaluation_batch, samples));
  std::vector<std::byte> memory(layout.size_bytes() + tensor_alignment_bytes);
  auto* aligned = reinterpret_cast<std::byte*>(
      align_up(reinterpret_cast<std::uintptr_t>(memory.data()), tensor_alignment_bytes));
  std::vector<std::int64_t> indices;
  BatchScore total;
  Heartbeat& heartbeat = arena.evaluator().heartbeat;
  for (std::int64_t first = 0; first < samples; first += layout.capacity()) {
    if (leaves_now(arena)) return false;
    heartbeat.begin(static_cast<std::uint64_t>(first / layout.capacity()));
    indices.resize(static_cast<std::size_t>(std::min(layout.capacity(), samples - first)));
    std::iota(indices.begin(), indices.end(), first);
    test_data_->fill(indices, layout, aligned);
    const data::Batch batch(layout, aligned, static_cast<std::int64_t>(indices.size()));
    const BatchScore score = score_batch(job_, *model_, batch);
    total.loss_sum += score.loss_sum;
    total.metric_sum += score.metric_sum;
    heartbeat.end();
  }
  into.loss = total.loss_sum / static_cast<double>(samples);
  into.accuracy = total.metric_sum / static_cast<double>(samples);
  into.done.store(1, std::memory_order_release);
  arena.control().changed.notify();
  return true;
}

void Evaluator::follow(JobArena& arena, std::uint64_t complete) {
  const std::uint64_t due = test_data_ ? last_due(complete, arena.job().evaluate_every) : 0;
  const bool measured = due > followed_;
  if (measured) {
    Evaluation& record = arena.evaluations()[due - 1];
    if (!evaluate(arena, record)) return;
    stop_at_target(arena, record);
  }
  followed_ = complete;
  // At the end comes a last one anyway.
  if (!checkpoints_ || arena.stopping()) return;
  if (complete < kept_ + static_cast<std::uint64_t>(options_.checkpoint_every)) return;
  checkpoints_->write(measured ? Occasion::measured : Occasion::epoch);
  kept_ = complete;
}

void Evaluator::run(JobArena& arena) {
  publish(arena);
  if (!test_data_ && !checkpoints_) return;
  const std::uint64_t epochs = arena.job().epochs;
  const std::uint64_t per_epoch = arena.job().plan.batches_per_epoch();
  ControlBlock& control = arena.control();
  Evaluation& final = arena.evaluations()[epochs];
  // A replacement goes on after the last epoch that its predecessor measured, and judges that one again: the
  // predecessor may have died before it could say that the target is reached.
  followed_ = epochs;
  while (followed_ > 0 && arena.evaluations()[followed_ - 1].done.load(std::memory_order_acquire) == 0) --followed_;
  if (followed_ > 0) stop_at_target(arena, arena.evaluations()[followed_ - 1]);
  if (const std::uint64_t newest = arena.checkpoint().newest.load(std::memory_order_relaxed); newest != 0) {
    kept_ = (newest - 1) / per_epoch;
    if (!test_data_) followed_ = kept_;
  }
  for (;;) {
    const std::uint32_t key = control.changed.key();
    const bool over = control.training_over.load(std::memory_order_acquire) != 0;
    if (over || leaves_now(arena)) {
      if (over && test_data_) evaluate(arena, final);
      if (checkpoints_) checkpoints_->write(Occasion::end);
      return;
    }
    const std::uint64_t complete = arena.ring().low_water() / per_epoch;
    // The last epoch's figure is the final one; and where training outruns evaluation, only the newest epoch
    // counts.
    if (checkpoints_ && checkpoints_->asked()) {
      checkpoints_->write(Occasion::request);
    } else if (complete > followed_ && complete < epochs && !arena.stopping()) {
      follow(arena, complete);
    } else {
      arena.evaluator().heartbeat.wait();
      control.changed.wait(key, 0, longest_wait);
    }
  }
}

}  // namespace feral
