// RMSprop.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  // how much of itself the mean square keeps
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;  // divides by the root of the variance
  bool maximize = false;
};

// square_avg = alpha * square_avg + (1 - alpha) * g²; parameter -= lr * g / (sqrt(square_avg) + eps) (Tieleman and
// Hinton, "Neural networks for machine learning", lecture 6.5, 2012; centered: Graves, "Generating sequences with
// recurrent neural networks", 2013). With momentum the quotient enters a velocity. A variance that rounding makes
// negative counts as 0.
// State: square_avg, grad_avg when centered, momentum_buffer with momentum.
class RMSprop : public GroupedOptimizer<RMSpropOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit RMSprop(std::vector<Tensor> parameters, RMSpropOptions options = {});
  explicit RMSprop(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // leaves groups that began without alone
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
};

}  // namespace feral::optim
