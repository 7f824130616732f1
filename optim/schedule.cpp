#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "core/fail.hpp"

namespace feral::optim {
namespace {

constexpr std::string_view schedule_names[schedule_count] = {
    "constant", "linear", "cosine", "step", "exponential", "polynomial", "cosine-restarts", "one-cycle", "plateau"};

LRSchedule without_warmup(const ScheduleOptions& o, const JobLength& length) {
  const std::uint64_t epochs = (length.steps + length.steps_per_epoch - 1) / length.steps_per_epoch;
  const std::uint64_t period = (o.period != 0 ? o.period : (epochs + 2) / 3) * length.steps_per_epoch;
  switch (o.schedule) {
    case Schedule::constant:
    case Schedule::plateau:
      return {};
    case Schedule::linear:
      return LinearLR{.start_factor = 1, .end_factor = 0, .total_iters = length.steps};
    case Schedule::cosine:
      return CosineAnnealingLR{.T_max = length.steps};
    case Schedule::step:
      return StepLR{.step_size = period, .gamma = gamma_of(o)};
    case Schedule::exponential:
      return ExponentialLR{.gamma = std::pow(gamma_of(o), 1 / static_cast<double>(length.steps_per_epoch))};
    case Schedule::polynomial:
      return PolynomialLR{.total_iters = length.steps, .power = o.power};
    case Schedule::cosine_restarts:
      return CosineAnnealingWarmRestarts{.T_0 = period};
    case Schedule::one_cycle:
      return OneCycleLR{.total_steps = length.steps};
  }
  return {};
}

}  // namespace

std::string_view name_of(Schedule schedule) noexcept { return schedule_names[static_cast<int>(schedule)]; }

std::string list_of_schedules() {
  std::string list;
  for (const std::string_view name : schedule_names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

double gamma_of(const ScheduleOptions& options) noexcept {
  if (options.gamma != 0) return options.gamma;
  return options.schedule == Schedule::exponential ? 0.95 : 0.1;
}

LRSchedule make_schedule(const ScheduleOptions& options, const JobLength& length) {
  if (length.steps == 0 || length.steps_per_epoch == 0) fail("schedule: a job of no steps");
  if (options.warmup == 0) return without_warmup(options, length);
  const JobLength rest{.steps = length.steps > options.warmup ? length.steps - options.warmup : 1,
                       .steps_per_epoch = length.steps_per_epoch};
  return WarmupLR{.steps = options.warmup,
                  .start_factor = 1 / static_cast<double>(options.warmup + 1),
                  .then = without_warmup(options, rest)};
}

}  // namespace feral::optim
