// Averages of weights over the steps of a training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::optim {

enum class Averaging : std::uint8_t {
  exponential,  // PyTorch's get_ema_avg_fn
  equal,        // the plain mean of all updates: stochastic weight averaging, AveragedModel's default
};

struct EMAOptions {
  double decay = 0.999;  // 0 to 1, of `exponential`: what the average keeps of itself
  Averaging averaging = Averaging::exponential;
};

// Keeps an average of each parameter, as torch.optim.swa_utils.AveragedModel does: the first update() copies, the
// later ones move the average by (1 - decay) of the way, or by 1 / (n + 1). The parameters may be live shared
// memory; the averages are this object's own. For models without running statistics: those of BatchNorm are no
// parameters.
class EMA {
 public:
  // Throws feral::Error for a decay out of range, or parameters that are not contiguous float32 or float64.
  explicit EMA(std::vector<Tensor> parameters, EMAOptions options = {});

  // After an optimizer's step. One pass; allocates nothing after the first.
  void update();
  std::uint64_t n_averaged() const noexcept { return n_averaged_; }

  // One a parameter, of its shape and type; zeroes before the first update.
  std::span<const Tensor> averages() const noexcept { return averages_; }

  // Writes the averages into the parameters.
  void copy_to_parameters() const;
  // Exchanges averages and parameters: once to evaluate with the averages, once more to train on. Only where nobody
  // else writes the parameters.
  void swap();

 private:
  // Throws feral::Error when a parameter has been converted since.
  void check_unchanged(std::size_t i) const;

  std::vector<Tensor> parameters_;
  std::vector<Tensor> averages_;
  EMAOptions options_;
  std::uint64_t n_averaged_ = 0;
};

}  // namespace feral::optim
