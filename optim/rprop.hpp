// Resilient backpropagation.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct RpropOptions {
  double lr = 1e-2;             // the first size of every step; later changes of the rate have no effect
  double etaminus = 0.5;        // PyTorch's etas: how a step changes when its gradient turned round,
  double etaplus = 1.2;         // and when it did not
  double step_size_min = 1e-6;  // PyTorch's step_sizes
  double step_size_max = 50;
  bool maximize = false;
};

// Each element has a step size of its own, which grows while its gradient keeps its sign and shrinks when it turns,
// and moves by it against the sign (Riedmiller and Braun, "A direct adaptive method for faster backpropagation
// learning: the RPROP algorithm", 1993). For whole batches.
// State: step_size, prev.
class Rprop : public GroupedOptimizer<RpropOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit Rprop(std::vector<Tensor> parameters, RpropOptions options = {});
  explicit Rprop(const std::vector<Group>& groups);

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
};

}  // namespace feral::optim
