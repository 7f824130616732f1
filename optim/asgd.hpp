// Averaged stochastic gradient descent.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct ASGDOptions {
  double lr = 1e-2;
  double lambd = 1e-4;
  double alpha = 0.75;
  double t0 = 1e6;  // the step from which on weights are averaged
  double weight_decay = 0;
  bool maximize = false;
};

// With eta = lr / (1 + lambd * lr * (t - 1))^alpha: parameter = (1 - lambd * eta) * parameter - eta * g, and ax is
// the mean of the parameter since step t0, the parameter itself before (Polyak and Juditsky, "Acceleration of
// stochastic approximation by averaging", 1992, in PyTorch's form; eta follows from the count of the step and the
// rate of now, so it is no state). State: ax, the averaged weights.
class ASGD : public GroupedOptimizer<ASGDOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit ASGD(std::vector<Tensor> parameters, ASGDOptions options = {});
  explicit ASGD(const std::vector<Group>& groups);

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
};

}  // namespace feral::optim
