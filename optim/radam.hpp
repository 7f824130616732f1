// Rectified Adam.
#pragma once

#include <vector>

#include "optim/adam.hpp"
#include "optim/bias_correction.hpp"
#include "optim/optimizer.hpp"

namespace feral::optim {

struct RAdamOptions {
  double lr = 1e-3;
  Betas betas = {};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};

// Adam whose first steps, before the second moment has seen enough, go without it, and whose later ones are scaled
// by how much it has seen (Liu et al., "On the variance of the adaptive learning rate and beyond", 2020).
// State: exp_avg_sq, exp_avg.
class RAdam : public GroupedOptimizer<RAdamOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit RAdam(std::vector<Tensor> parameters, RAdamOptions options = {});
  explicit RAdam(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // the first of betas
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;

 private:
  BiasCorrections corrections_;
};

}  // namespace feral::optim
