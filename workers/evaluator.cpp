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
#include "workers/job_functions.hpp"

namespace feral {
namespace {

constexpr std::int64_t evaluation_batch = 250;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
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

Evaluator::Evaluator(const Job& job, const TrainOptions& options) : job_(job) {
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
          .resident_bytes = resident_bytes(),
          .kernels = cpu::describe_kernels(),
          .tensor_count = layout.parameters.size(),
          .tensor_name_bytes = JobMeters::tensor_name_bytes(names_of(layout))};
}

void Evaluator::publish(JobArena& arena) {
  const nn::FlatLayout layout = nn::flat_layout(*model_);
  if (arena.control().published.load(std::memory_order_acquire) == 0) {
    nn::copy_parameters(layout, arena.parameters());
    arena.meters().set_tensor_names(names_of(layout));
    if (arena.job().shared_state != 0) optimizer_->initialize_state(arena.optimizer_state(0));
    arena.control().published.store(1, std::memory_order_release);
    arena.notify_all();
  }
  nn::bind_parameters(layout, arena.parameters());
  guard_.emplace(arena, layout, optimizer_.get());
  if (!arena.rollback().enabled()) optimizer_.reset();
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
  for (std::int64_t first = 0; first < samples; first += layout.capacity()) {
    if (arena.control().stop.load(std::memory_order_relaxed) == StopReason::requested) return false;
    if (guard_->serve()) {  // what was measured is of parameters that are gone
      first = -layout.capacity();
      total = {};
      continue;
    }
    indices.resize(static_cast<std::size_t>(std::min(layout.capacity(), samples - first)));
    std::iota(indices.begin(), indices.end(), first);
    test_data_->fill(indices, layout, aligned);
    const data::Batch batch(layout, aligned, static_cast<std::int64_t>(indices.size()));
    const BatchScore score = score_batch(job_, *model_, batch);
    total.loss_sum += score.loss_sum;
    total.metric_sum += score.metric_sum;
  }
  into.loss = total.loss_sum / static_cast<double>(samples);
  into.accuracy = total.metric_sum / static_cast<double>(samples);
  into.done.store(1, std::memory_order_release);
  arena.control().changed.notify();
  guard_->look(into.loss);
  return true;
}

void Evaluator::keep_snapshots(JobArena& arena) {
  ControlBlock& control = arena.control();
  std::uint64_t epochs = arena.ring().low_water() / arena.job().plan.batches_per_epoch();
  while (arena.rollback().enabled() && control.stop.load(std::memory_order_relaxed) == StopReason::none &&
         control.training_over.load(std::memory_order_acquire) == 0) {
    const std::uint32_t key = control.changed.key();
    guard_->serve();
    const std::uint64_t complete = arena.ring().low_water() / arena.job().plan.batches_per_epoch();
    if (complete > epochs) {
      epochs = complete;
      guard_->look({});
    } else if (!arena.rollback().wanted()) {
      control.changed.wait(key, 0, longest_wait);
    }
  }
}

void Evaluator::run(JobArena& arena) {
  publish(arena);
  if (!test_data_) return keep_snapshots(arena);
  const std::uint64_t per_epoch = arena.job().plan.batches_per_epoch();
  ControlBlock& control = arena.control();
  Evaluation& final = arena.evaluations()[arena.job().epochs];
  // A replacement goes on after the last epoch that its predecessor measured, and judges that one again: the
  // predecessor may have died before it could say that the target is reached.
  std::uint64_t evaluated = arena.job().epochs;
  while (evaluated > 0 && arena.evaluations()[evaluated - 1].done.load(std::memory_order_acquire) == 0) --evaluated;
  if (evaluated > 0) stop_at_target(arena, arena.evaluations()[evaluated - 1]);
  for (;;) {
    const std::uint32_t key = control.changed.key();
    if (control.stop.load(std::memory_order_relaxed) == StopReason::requested) return;
    guard_->serve();
    if (control.training_over.load(std::memory_order_acquire) != 0) {
      // What is not to be kept may show at the end only.
      do evaluate(arena, final);
      while (guard_->serve());
      return;
    }
    const std::uint64_t complete = arena.ring().low_water() / per_epoch;
    // The last epoch's figure is the final one; and where training outruns evaluation, only the newest epoch
    // counts.
    if (complete > evaluated && complete < arena.job().epochs && !arena.stopping()) {
      Evaluation& record = arena.evaluations()[complete - 1];
      if (!evaluate(arena, record)) return;
      evaluated = complete;
      stop_at_target(arena, record);
    } else {
      control.changed.wait(key, 0, longest_wait);
    }
  }
}

}  // namespace feral
