#include "optim/plateau.hpp"

#include <algorithm>
#include <limits>

#include "core/fail.hpp"

namespace feral::optim {
namespace {

bool is_better(const ReduceLROnPlateau& o, double value, double best) {
  const bool relative = o.threshold_mode == ThresholdMode::rel;
  if (o.mode == PlateauMode::min) return value < (relative ? best * (1 - o.threshold) : best - o.threshold);
  return value > (relative ? best * (1 + o.threshold) : best + o.threshold);
}

}  // namespace

double ReduceLROnPlateau::lr(double base, std::span<const double> measured) const {
  check();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double best = mode == PlateauMode::min ? infinity : -infinity;
  std::int64_t bad = 0;
  std::int64_t cooling = 0;
  for (const double value : measured) {
    if (is_better(*this, value, best)) {
      best = value;
      bad = 0;
    } else {
      ++bad;
    }
    if (cooling > 0) {
      --cooling;
      bad = 0;
    }
    if (bad > patience) {
      const double reduced = std::max(base * factor, min_lr);
      if (base - reduced > eps) base = reduced;
      cooling = cooldown;
      bad = 0;
    }
  }
  return base;
}

void ReduceLROnPlateau::check() const {
  if (!(factor >= 0 && factor < 1)) fail("ReduceLROnPlateau: factor must be 0 to below 1, got {}", factor);
  if (patience < 0 || cooldown < 0) {
    fail("ReduceLROnPlateau: patience {} and cooldown {} must not be negative", patience, cooldown);
  }
}

}  // namespace feral::optim
