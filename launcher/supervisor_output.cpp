// What the launcher shows of a run: plan, progress, summary, report.
#include <utility>  // before Asio: Boost 1.74 uses std::exchange without it

#include "core/fail.hpp"
#include "launcher/supervisor.hpp"

namespace feral {
namespace {

// Weight of the newest measurement in the shown rate.
constexpr double rate_smoothing = 0.3;

std::string counted(std::uint64_t number, const char* noun) {
  return fmt::format("{} {}{}", with_thousands(number), noun, number == 1 ? "" : "s");
}

}  // namespace

void Supervisor::print_plan(const JobDescription& d, std::uint64_t arena_bytes) {
  progress_.print(fmt::format("feral {}: {} ({} parameters) on {} ({} samples, {} to test on)", FERAL_VERSION,
                              model_name_, with_thousands(static_cast<std::uint64_t>(d.parameter_elements)),
                              data_name_, with_thousands(static_cast<std::uint64_t>(d.samples)),
                              with_thousands(static_cast<std::uint64_t>(d.test_samples))));
  progress_.print(fmt::format("plan: {}, {} and an evaluator on {}{}; arena of {} with {} batches of {}",
                              counted(block_->workers, "worker"), counted(block_->loaders, "loader"),
                              counted(static_cast<std::uint64_t>(budget_.count()), "core"),
                              core_for(Role::worker, 0, counts_, budget_) >= 0 ? ", pinned" : "",
                              human_bytes(arena_bytes), block_->slots, options_.batch));
  if (counts_.workers > budget_.count()) {
    progress_.print(fmt::format("warning: {} on {}: more workers than cores train no faster",
                                counted(block_->workers, "worker"),
                                counted(static_cast<std::uint64_t>(budget_.count()), "core")));
  } else if (counts_.workers + counts_.loaders > budget_.count()) {
    progress_.print(fmt::format("cores: {} processes share {}, so none has one of its own",
                                counts_.workers + counts_.loaders, budget_.count()));
  }
  if (!job_name_.empty()) {
    progress_.print(fmt::format("job: {} (for feral scale, feral set and feral attach)", job_name_));
  }
  const std::vector<std::string> dropped = dropped_blas_settings(options_.keep_blas_env);
  progress_.print(fmt::format(
      "kernels: {}{}", d.kernels,
      dropped.empty() ? "" : fmt::format("; not handed on: {} (--keep-blas-env would)", fmt::join(dropped, " "))));
}

void Supervisor::show_progress() {
  const std::uint64_t done = arena_->ring().done_count();
  const EpochPlan& plan = block_->plan;
  const std::uint64_t total = arena_->ring().item_count();
  const std::uint64_t epoch = std::min(plan.epoch_of(arena_->ring().low_water()), block_->epochs - 1);
  const std::uint64_t samples = done / plan.batches_per_epoch() * plan.samples +
                                std::min(done % plan.batches_per_epoch() * plan.batch, plan.samples);
  const std::uint64_t now = monotonic_ns();
  if (done == 0) return;
  if (rate_time_ns_ != 0) {
    const double seconds = static_cast<double>(now - rate_time_ns_) * 1e-9;
    const double rate = static_cast<double>(samples - std::min(rate_samples_, samples)) / seconds;
    recent_rate_ = recent_rate_ == 0 ? rate : recent_rate_ + rate_smoothing * (rate - recent_rate_);
  }
  rate_time_ns_ = now;
  rate_samples_ = samples;
  if (recent_rate_ == 0) return;
  const EpochTotals totals = arena_->ledger().totals(arena_->ring(), epoch);
  progress_.update({.epoch = epoch + 1,
                    .epochs = block_->epochs,
                    .steps = done,
                    .total_steps = total,
                    .samples_per_second = recent_rate_,
                    .loss = totals.mean_loss(),
                    .seconds_left = static_cast<double>(plan.samples * block_->epochs - samples) / recent_rate_,
                    .paused = arena_->steering().paused.load(std::memory_order_relaxed) != 0});
}

void Supervisor::show_evaluations() {
  for (std::uint64_t epoch = evaluations_shown_; epoch < block_->epochs; ++epoch) {
    const Evaluation& evaluation = arena_->evaluations()[epoch];
    if (evaluation.done.load(std::memory_order_acquire) == 0) continue;
    const EpochTotals totals = arena_->ledger().totals(arena_->ring(), epoch);
    progress_.print(fmt::format("epoch {}: train loss {:.4f}, test loss {:.4f}, test accuracy {:.4f}", epoch + 1,
                                totals.mean_loss(), evaluation.loss, evaluation.accuracy));
    evaluations_shown_ = epoch + 1;
  }
}

void Supervisor::look_at_meters() {
  if (!arena_) return;
  for (const std::string& line : meters_.news(*arena_)) progress_.print(line);
  if (const auto reason = MeterWatch::trouble(*arena_)) abandon(1, *reason);
}

Report Supervisor::make_report() {
  Report report;
  report.model = model_name_;
  report.data = data_name_;
  report.options = options_;
  report.steps = arena_->ring().done_count();
  std::uint64_t first_take = 0;
  std::uint64_t first_step = 0;
  std::uint64_t last_update = 0;
  const auto earliest = [](std::uint64_t a, std::uint64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; };
  for (const WorkerBlock& worker : arena_->workers()) {
    first_take = earliest(first_take, worker.first_take_ns.load());
    first_step = earliest(first_step, worker.first_step_ns.load());
    last_update = std::max(last_update, worker.last_update_ns.load());
  }
  report.seconds_train = static_cast<double>(last_update - first_take) * 1e-9;
  report.time_to_first_step_seconds = static_cast<double>(first_step - started_ns_) * 1e-9;
  for (std::uint64_t epoch = 0; epoch < block_->epochs; ++epoch) {
    const std::uint64_t samples = arena_->ledger().totals(arena_->ring(), epoch).samples;
    if (samples == 0) break;  // not reached: the target accuracy was
    report.samples_seen_per_epoch.push_back(samples);
    report.samples_total += samples;
  }
  const Evaluation& last = arena_->evaluations()[block_->epochs];
  if (last.done.load(std::memory_order_acquire) != 0) {
    report.test_accuracy = last.accuracy;
    report.test_loss = last.loss;
  }
  report.steps_before = checkpoints_->steps_before();
  report.samples_before = checkpoints_->samples_before();
  report.checkpoint = checkpoints_->newest(*arena_);
  report.worker_restarts = worker_restarts_;
  report.loader_restarts = loader_restarts_;
  report.batches_redone = batches_redone_;
  report.replicas = block_->nodes;
  if (arena_->replicas()) report.reconciliations = arena_->replicas()->reconciliations();
  report.arena_bytes = arena_->size_bytes();
  report.peak_rss_bytes_per_worker = peak_worker_rss_;
  report.cores = budget_.count();
  report.changes = changes_;
  report.cpu = cpu_name();
  report.parameters_checksum = checksum(arena_->parameters());
  report.meters = MeterWatch::report(*arena_);
  return report;
}

void Supervisor::print_summary(const Report& report) {
  const bool target = arena_->control().stop.load() == StopReason::target_reached;
  progress_.print(fmt::format(
      "{} {} in {:.1f} s: {} samples/s, first step after {:.2f} s", target ? "target accuracy reached:" : "done:",
      counted(report.samples_total - report.samples_before, "sample"), report.seconds_train,
      with_thousands(static_cast<std::uint64_t>(report.samples_per_second())), report.time_to_first_step_seconds));
  if (report.worker_restarts + report.loader_restarts + evaluator_restarts_ > 0) {
    progress_.print(
        fmt::format("replaced: {}, {}, {}; redone: {}", counted(report.worker_restarts, "worker"),
                    counted(report.loader_restarts, "loader"), counted(evaluator_restarts_, "evaluator"),
                    fmt::format("{} batch{}", report.batches_redone, report.batches_redone == 1 ? "" : "es")));
  }
  if (arena_->turnstile() && report.seconds_train > 0) {
    const double waited = static_cast<double>(arena_->turnstile()->waited_ns()) * 1e-9;
    progress_.print(
        fmt::format("deterministic: workers waited for each other {:.0f}% of the time; parameters {:016x}",
                    100 * waited / (report.seconds_train * block_->workers), report.parameters_checksum));
  }
  for (const std::string& line : MeterWatch::summary(report.meters)) progress_.print(line);
  if (report.test_accuracy) {
    progress_.print(
        fmt::format("test accuracy {:.4f}, test loss {:.4f}", *report.test_accuracy, *report.test_loss));
  }
  if (!report.checkpoint.empty()) progress_.print(fmt::format("checkpoint written to {}", report.checkpoint));
}

std::string Supervisor::stop_summary() {
  const std::string kept = checkpoints_->what_is_kept(arena_ ? &*arena_ : nullptr);
  if (!arena_) return fmt::format("stopped before training; {}", kept);
  const std::uint64_t done = arena_->ring().done_count();
  return fmt::format("stopped in epoch {} after {}; {}",
                     std::min(block_->plan.epoch_of(arena_->ring().low_water()) + 1, block_->epochs),
                     counted(done, "step"), kept);
}

}  // namespace feral
