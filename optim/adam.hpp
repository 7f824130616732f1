// Adam.
#pragma once

#include <vector>

#include "optim/bias_correction.hpp"
#include "optim/optimizer.hpp"

namespace feral::optim {

// How fast the moments forget: of the first and of the second.
struct Betas {
  double first = 0.9;
  double second = 0.999;
};

struct AdamOptions {
  double lr = 1e-3;
  Betas betas = {};  // each in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
  bool decoupled_weight_decay = false;  // AdamW's
};

// With g = ±gradient + weight_decay * parameter and t the count of the step (Kingma and Ba, "Adam: a method for
// stochastic optimization", 2015): m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²;
// parameter -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps). With amsgrad (Reddi, Kale and Kumar, "On
// the convergence of Adam and beyond", 2018) the largest v so far stands in the denominator.
// State: exp_avg_sq, max_exp_avg_sq with amsgrad, exp_avg.
class Adam : public GroupedOptimizer<AdamOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit Adam(std::vector<Tensor> parameters, AdamOptions options = {});
  explicit Adam(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // the first of betas
  bool has_momentum() const noexcept override { return true; }

 protected:
  Adam(const char* name, const std::vector<Group>& groups);  // for AdamW
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;

 private:
  BiasCorrections corrections_;
};

}  // namespace feral::optim
