#include "optim/schedules.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/fail.hpp"

namespace feral::optim {
namespace {

double number(std::uint64_t n) { return static_cast<double>(n); }

void check_within(const char* schedule, const char* option, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    fail("{}: {} must be {} to {}, got {}", schedule, option, low, high, value);
  }
}

void check_count(const char* schedule, const char* option, std::uint64_t value) {
  if (value == 0) fail("{}: {} must be at least 1", schedule, option);
}

void check_gamma(const char* schedule, double gamma) {
  if (!(gamma >= 0) || !std::isfinite(gamma)) fail("{}: gamma must not be negative, got {}", schedule, gamma);
}

void check_ascending(const char* schedule, const std::vector<std::uint64_t>& milestones) {
  if (!std::ranges::is_sorted(milestones)) fail("{}: milestones must ascend", schedule);
}

// How many of ascending milestones a step has reached.
std::size_t passed(const std::vector<std::uint64_t>& milestones, std::uint64_t step) {
  return static_cast<std::size_t>(std::ranges::upper_bound(milestones, step) - milestones.begin());
}

// Evenly: `from` at 0, `to` at step `steps`.
double ramp(double from, double to, std::uint64_t step, std::uint64_t steps) {
  return from + (to - from) * number(step) / number(steps);
}

// Down along half a cosine: `from` at 0, `to` at 1.
double cosine(double from, double to, double done) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

struct Unchanged {
  static double lr(double base, std::uint64_t) { return base; }
  static void check() {}
};

}  // namespace

LRSchedule::LRSchedule() : LRSchedule(Unchanged{}) {}

void LRSchedule::apply(Optimizer& optimizer, std::uint64_t step) const {
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
    optimizer.set_lr(group, lr(optimizer.initial_lr(group), step));
  }
  if (const std::optional<double> value = momentum(step)) optimizer.set_momentum(*value);
}

double ConstantLR::lr(double base, std::uint64_t step) const { return step < total_iters ? base * factor : base; }

void ConstantLR::check() const { check_within("ConstantLR", "factor", factor, 0, 1); }

double LinearLR::lr(double base, std::uint64_t step) const {
  return base * ramp(start_factor, end_factor, std::min(step, total_iters), total_iters);
}

void LinearLR::check() const {
  check_count("LinearLR", "total_iters", total_iters);
  if (!(start_factor > 0 && start_factor <= 1)) {
    fail("LinearLR: start_factor must be above 0, to 1, got {}", start_factor);
  }
  check_within("LinearLR", "end_factor", end_factor, 0, 1);
}

double StepLR::lr(double base, std::uint64_t step) const {
  return base * std::pow(gamma, number(step / step_size));
}

void StepLR::check() const {
  check_count("StepLR", "step_size", step_size);
  check_gamma("StepLR", gamma);
}

double MultiStepLR::lr(double base, std::uint64_t step) const {
  return base * std::pow(gamma, number(passed(milestones, step)));
}

void MultiStepLR::check() const {
  check_ascending("MultiStepLR", milestones);
  check_gamma("MultiStepLR", gamma);
}

double ExponentialLR::lr(double base, std::uint64_t step) const { return base * std::pow(gamma, number(step)); }

void ExponentialLR::check() const { check_gamma("ExponentialLR", gamma); }

double PolynomialLR::lr(double base, std::uint64_t step) const {
  return base * std::pow(1 - number(std::min(step, total_iters)) / number(total_iters), power);
}

void PolynomialLR::check() const {
  check_count("PolynomialLR", "total_iters", total_iters);
  if (!(power >= 0)) fail("PolynomialLR: power must not be negative, got {}", power);
}

double CosineAnnealingLR::lr(double base, std::uint64_t step) const {
  return cosine(base, eta_min, number(step) / number(T_max));
}

void CosineAnnealingLR::check() const { check_count("CosineAnnealingLR", "T_max", T_max); }

double CosineAnnealingWarmRestarts::lr(double base, std::uint64_t step) const {
  std::uint64_t length = T_0;
  if (T_mult == 1) {
    step %= T_0;
  } else {
    while (step >= length) {
      step -= length;
      length *= T_mult;
    }
  }
  return cosine(base, eta_min, number(step) / number(length));
}

void CosineAnnealingWarmRestarts::check() const {
  check_count("CosineAnnealingWarmRestarts", "T_0", T_0);
  check_count("CosineAnnealingWarmRestarts", "T_mult", T_mult);
}

namespace {

// Where a step of OneCycleLR lies: between which of three levels (0: the first rate, 1: the largest, 2: the last),
// and how far.
struct CyclePlace {
  int from;
  int to;
  double done;
};

CyclePlace place_of(const OneCycleLR& cycle, std::uint64_t step) {
  const double total = number(cycle.total_steps);
  const double at = std::min(number(step), total - 1);
  const double rise = cycle.pct_start * total - 1;
  const auto share = [](double part, double whole) { return whole == 0 ? 1 : part / whole; };
  if (at <= rise) return {0, 1, share(at, rise)};
  if (!cycle.three_phase) return {1, 2, share(at - rise, total - 1 - rise)};
  const double fall = 2 * cycle.pct_start * total - 2;
  if (at <= fall) return {1, 0, share(at - rise, fall - rise)};
  return {0, 2, share(at - fall, total - 1 - fall)};
}

double annealed(Anneal strategy, double from, double to, double done) {
  return strategy == Anneal::cos ? cosine(from, to, done) : from + (to - from) * done;
}

}  // namespace

double OneCycleLR::lr(double base, std::uint64_t step) const {
  const double largest = max_lr > 0 ? max_lr : base;
  const double first = largest / div_factor;
  const double levels[] = {first, largest, first / final_div_factor};
  const CyclePlace place = place_of(*this, step);
  return annealed(anneal_strategy, levels[place.from], levels[place.to], place.done);
}

std::optional<double> OneCycleLR::momentum(std::uint64_t step) const {
  if (!cycle_momentum) return std::nullopt;
  const double levels[] = {max_momentum, base_momentum, max_momentum};
  const CyclePlace place = place_of(*this, step);
  return annealed(anneal_strategy, levels[place.from], levels[place.to], place.done);
}

void OneCycleLR::check() const {
  check_count("OneCycleLR", "total_steps", total_steps);
  check_within("OneCycleLR", "pct_start", pct_start, 0, 1);
  check_within("OneCycleLR", "base_momentum", base_momentum, 0, 1);
  check_within("OneCycleLR", "max_momentum", max_momentum, 0, 1);
  if (!(max_lr >= 0)) fail("OneCycleLR: max_lr must not be negative, got {}", max_lr);
  if (!(div_factor > 0 && final_div_factor > 0)) {
    fail("OneCycleLR: div_factor and final_div_factor must be above 0, got {} and {}", div_factor,
         final_div_factor);
  }
}

double LambdaLR::lr(double base, std::uint64_t step) const { return base * lr_lambda(step); }

void LambdaLR::check() const {
  if (!lr_lambda) fail("LambdaLR: it has no function");
}

double WarmupLR::lr(double base, std::uint64_t step) const {
  if (step >= steps) return then.lr(base, step - steps);
  return base * ramp(start_factor, 1, step, steps);
}

std::optional<double> WarmupLR::momentum(std::uint64_t step) const {
  return then.momentum(step >= steps ? step - steps : 0);
}

void WarmupLR::check() const { check_within("WarmupLR", "start_factor", start_factor, 0, 1); }

double ChainedScheduler::lr(double base, std::uint64_t step) const {
  for (const LRSchedule& schedule : schedulers) base = schedule.lr(base, step);
  return base;
}

std::optional<double> ChainedScheduler::momentum(std::uint64_t step) const {
  std::optional<double> result;
  for (const LRSchedule& schedule : schedulers) {
    if (const auto value = schedule.momentum(step)) result = value;
  }
  return result;
}

void ChainedScheduler::check() const {
  if (schedulers.empty()) fail("ChainedScheduler: it has no schedules");
}

std::pair<std::size_t, std::uint64_t> SequentialLR::at(std::uint64_t step) const {
  const std::size_t index = passed(milestones, step);
  return {index, index == 0 ? step : step - milestones[index - 1]};
}

double SequentialLR::lr(double base, std::uint64_t step) const {
  const auto [index, own] = at(step);
  return schedulers[index].lr(base, own);
}

std::optional<double> SequentialLR::momentum(std::uint64_t step) const {
  const auto [index, own] = at(step);
  return schedulers[index].momentum(own);
}

void SequentialLR::check() const {
  if (schedulers.size() != milestones.size() + 1) {
    fail("SequentialLR: {} schedules need {} milestones, got {}", schedulers.size(),
         schedulers.empty() ? 0 : schedulers.size() - 1, milestones.size());
  }
  check_ascending("SequentialLR", milestones);
}

}  // namespace feral::optim
