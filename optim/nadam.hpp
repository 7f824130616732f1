// Adam with Nesterov momentum.
#pragma once

#include <vector>

#include "optim/adam.hpp"
#include "optim/bias_correction.hpp"
#include "optim/optimizer.hpp"

namespace feral::optim {

struct NAdamOptions {
  double lr = 2e-3;
  Betas betas = {};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};

// Adam that looks ahead (Dozat, "Incorporating Nesterov momentum into Adam", 2016, in PyTorch's form): with
// mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2) and M(t) = mu(1) * … * mu(t) the numerator is
// mu(t + 1) * m / (1 - M(t + 1)) + (1 - mu(t)) * g / (1 - M(t)). M follows from the count of the step, so it is no
// state: set_momentum() changes all of it.
// State: exp_avg_sq, exp_avg.
class NAdam : public GroupedOptimizer<NAdamOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit NAdam(std::vector<Tensor> parameters, NAdamOptions options = {});
  explicit NAdam(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // the first of betas
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;

 private:
  // mu(1) * … * mu(count), of the last count that was asked for.
  struct Product {
    std::uint64_t count = 0;
    double beta1 = 0;
    double product = 1;
    double mu = 0;
    double next = 0;  // mu(count + 1)
  };
  const Product& product(std::size_t group, std::uint64_t count);

  BiasCorrections corrections_;
  std::vector<Product> products_;  // one a group
};

}  // namespace feral::optim
