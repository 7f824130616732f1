#include "optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace feral::optim {

std::string_view name_of(Schedule schedule) noexcept {
  constexpr std::string_view names[schedule_count] = {"constant", "linear", "cosine"};
  return names[static_cast<int>(schedule)];
}

double schedule_factor(Schedule schedule, double progress) noexcept {
  const double done = std::clamp(progress, 0.0, 1.0);
  switch (schedule) {
    case Schedule::constant:
      return 1;
    case Schedule::linear:
      return 1 - done;
    case Schedule::cosine:
      return 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
  return 1;
}

}  // namespace feral::optim
