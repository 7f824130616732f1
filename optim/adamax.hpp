// Adam with the largest gradient in place of the second moment.
#pragma once

#include <vector>

#include "optim/adam.hpp"
#include "optim/bias_correction.hpp"
#include "optim/optimizer.hpp"

namespace feral::optim {

struct AdamaxOptions {
  double lr = 2e-3;
  Betas betas = {};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
};

// m = beta1 * m + (1 - beta1) * g; u = max(beta2 * u, |g| + eps); parameter -= lr / (1 - beta1^t) * m / u (Kingma
// and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1). State: exp_inf, exp_avg.
class Adamax : public GroupedOptimizer<AdamaxOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit Adamax(std::vector<Tensor> parameters, AdamaxOptions options = {});
  explicit Adamax(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // the first of betas
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;

 private:
  BiasCorrections corrections_;
};

}  // namespace feral::optim
