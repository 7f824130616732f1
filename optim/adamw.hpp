// Adam with decoupled weight decay.
#pragma once

#include <vector>

#include "optim/adam.hpp"

namespace feral::optim {

struct AdamWOptions {
  double lr = 1e-3;
  Betas betas = {};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
};

// Adam whose weight decay shrinks the parameter itself, by lr * weight_decay, before the step and does not enter
// the moments (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
// State: as Adam's.
class AdamW : public Adam {
 public:
  // Throws feral::Error for options out of range.
  explicit AdamW(std::vector<Tensor> parameters, AdamWOptions options = {});
  explicit AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups);
};

}  // namespace feral::optim
