// The schedule that needs a measured value.
#pragma once

#include <cstdint>
#include <span>

namespace feral::optim {

enum class PlateauMode : std::uint8_t { min, max };
enum class ThresholdMode : std::uint8_t { rel, abs };

// Times `factor` whenever the measured value has not become better for more than `patience` measurements (PyTorch's
// ReduceLROnPlateau and its options). Here a function of everything measured so far, which in a job stands in the
// arena: all workers find the same rate, a replaced one too.
struct ReduceLROnPlateau {
  PlateauMode mode = PlateauMode::min;  // better is smaller
  double factor = 0.1;                  // below 1
  std::int64_t patience = 10;
  double threshold = 1e-4;  // what counts as better: by this share of the best, or by this much
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;  // measurements after a reduction that do not count
  double min_lr = 0;
  double eps = 1e-8;  // a smaller change of the rate is left out

  // The rate of a group that began with `base`, after these measurements in their order.
  double lr(double base, std::span<const double> measured) const;
  // Throws feral::Error for options out of range.
  void check() const;
};

}  // namespace feral::optim
