// Adagrad.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};

// sum += g²; parameter -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps) (Duchi, Hazan and Singer, "Adaptive
// subgradient methods for online learning and stochastic optimization", 2011).
// State: sum.
class Adagrad : public GroupedOptimizer<AdagradOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit Adagrad(std::vector<Tensor> parameters, AdagradOptions options = {});
  explicit Adagrad(const std::vector<Group>& groups);

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
  const char* refuses_rows(std::size_t group) const noexcept override;
};

}  // namespace feral::optim
