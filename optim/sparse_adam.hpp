// Adam for gradients of some rows: embeddings.
#pragma once

#include <vector>

#include "optim/adam.hpp"
#include "optim/bias_correction.hpp"
#include "optim/optimizer.hpp"

namespace feral::optim {

struct SparseAdamOptions {
  double lr = 1e-3;
  Betas betas = {};
  double eps = 1e-8;
  bool maximize = false;
};

// Adam that changes, of a parameter, its state and its weights, only the rows that a gradient has; the moments of
// the others do not decay meanwhile, and t counts the parameter's steps, not the row's (PyTorch's form: eps is
// added before the correction, so it is eps / sqrt(1 - beta2^t) of Adam's). Dense gradients are refused. State:
// exp_avg_sq, exp_avg.
class SparseAdam : public GroupedOptimizer<SparseAdamOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit SparseAdam(std::vector<Tensor> parameters, SparseAdamOptions options = {});
  explicit SparseAdam(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // the first of betas
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
  const char* refuses_rows(std::size_t) const noexcept override { return nullptr; }
  bool refuses_dense() const noexcept override { return true; }

 private:
  BiasCorrections corrections_;
};

}  // namespace feral::optim
