// Checks that the options of several rules share. Each throws feral::Error in the rule's name.
#pragma once

#include <cmath>

#include "core/fail.hpp"
#include "optim/adam.hpp"

namespace feral::optim {

inline void check_not_negative(const char* rule, const char* option, double value) {
  if (!(value >= 0) || !std::isfinite(value)) fail("{}: {} must not be negative, got {}", rule, option, value);
}

// In [0, 1): what an average keeps of itself.
inline void check_fraction(const char* rule, const char* option, double value) {
  if (!(value >= 0 && value < 1)) fail("{}: {} must be in [0, 1), got {}", rule, option, value);
}

inline void check_betas(const char* rule, const Betas& betas) {
  check_fraction(rule, "the first of betas", betas.first);
  check_fraction(rule, "the second of betas", betas.second);
}

}  // namespace feral::optim
