#include "launcher/meter_watch.hpp"

#include <algorithm>

#include "core/fail.hpp"
#include "launcher/progress.hpp"

namespace feral {
namespace {

// "batch 12 (epoch 1)"
std::string batch_name(JobArena& arena, std::uint64_t item) {
  return fmt::format("batch {} (epoch {})", item, arena.job().plan.epoch_of(item) + 1);
}

std::string dropped_tensor(JobArena& arena, std::size_t worker) {
  const WorkerMeters& meters = arena.meters().workers()[worker];
  return std::string(arena.meters().tensor_name(meters.dropped_tensor.load(std::memory_order_relaxed)));
}

}  // namespace

std::vector<std::string> MeterWatch::news(JobArena& arena) {
  std::vector<std::string> lines;
  const auto workers = arena.meters().workers();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::uint64_t first = workers[i].first_dropped.load(std::memory_order_relaxed);
    if (first == 0 || !told_.insert(i).second) continue;
    lines.push_back(
        fmt::format("worker {}: the gradient of {} at {} is not all numbers (NaN or infinite): the step was left "
                    "out; further ones are only counted",
                    i, dropped_tensor(arena, i), batch_name(arena, first - 1)));
  }
  return lines;
}

std::optional<std::string> MeterWatch::trouble(JobArena& arena) {
  const std::optional<TroubleReport> report = arena.meters().trouble();
  if (!report) return std::nullopt;
  const JobBlock& job = arena.job();
  const std::string where = fmt::format("worker {}: the gradient of {} is not all numbers (NaN or infinite)",
                                        report->worker, dropped_tensor(arena, report->worker));
  const char* remedy = "look at that batch, lower --lr, or raise --warmup";
  if (job.on_nonfinite == OnNonfinite::stop) {
    return fmt::format("{} at {} (--on-nonfinite stop): {}", where, batch_name(arena, report->item), remedy);
  }
  return fmt::format("{} for {} steps in a row, the last one {} (--nonfinite-limit): {}", where,
                     job.nonfinite_limit, batch_name(arena, report->item), remedy);
}

MeterReport MeterWatch::report(JobArena& arena) {
  MeterReport report;
  StalenessTotals all;
  const auto workers = arena.meters().workers();
  std::size_t shown = arena.job().workers;
  for (std::size_t i = shown; i < workers.size(); ++i) {
    if (arena.workers()[i].steps.load(std::memory_order_relaxed) != 0) shown = i + 1;
  }
  for (std::size_t i = 0; i < shown; ++i) {
    StalenessTotals own;
    own.add(workers[i].staleness);
    all.add(workers[i].staleness);
    report.staleness_per_worker.push_back(own.summary());
    const std::uint64_t dropped = workers[i].dropped_nonfinite.load(std::memory_order_relaxed);
    report.dropped_nonfinite += dropped;
    report.dropped_nonfinite_per_worker.push_back(dropped);
  }
  report.staleness = all.summary();
  return report;
}

std::vector<std::string> MeterWatch::summary(const MeterReport& report) {
  std::vector<std::string> lines;
  if (report.staleness.max > 0) {
    lines.push_back(fmt::format("staleness: mean {:.2f}, median {}, 99 in 100 up to {}, max {}",
                                report.staleness.mean, report.staleness.p50, report.staleness.p99,
                                report.staleness.max));
  }
  if (report.dropped_nonfinite > 0) {
    lines.push_back(fmt::format("steps left out as their gradients were not all numbers: {}",
                                with_thousands(report.dropped_nonfinite)));
  }
  return lines;
}

}  // namespace feral
