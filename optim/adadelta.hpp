// Adadelta.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct AdadeltaOptions {
  double lr = 1.0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
};

// square_avg = rho * square_avg + (1 - rho) * g²; delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g;
// acc_delta = rho * acc_delta + (1 - rho) * delta²; parameter -= lr * delta (Zeiler, "Adadelta: an adaptive
// learning rate method", 2012). State: square_avg, acc_delta.
class Adadelta : public GroupedOptimizer<AdadeltaOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit Adadelta(std::vector<Tensor> parameters, AdadeltaOptions options = {});
  explicit Adadelta(const std::vector<Group>& groups);

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
};

}  // namespace feral::optim
