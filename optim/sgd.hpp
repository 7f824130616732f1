// Stochastic gradient descent.
#pragma once

#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;   // in [0, 1)
  double dampening = 0;  // of the gradient as it enters the momentum
  double weight_decay = 0;
  bool nesterov = false;  // needs momentum, without dampening
  bool maximize = false;
};

// For each element: g = ±gradient + weight_decay * parameter; velocity = momentum * velocity + (1 - dampening) * g,
// without dampening in the first step; parameter -= lr * velocity, or lr * (g + momentum * velocity) with Nesterov
// (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in PyTorch's form).
// State: momentum_buffer, with momentum.
class SGD : public GroupedOptimizer<SGDOptions> {
 public:
  // Throws feral::Error for options out of range.
  explicit SGD(std::vector<Tensor> parameters, SGDOptions options = {});
  explicit SGD(const std::vector<Group>& groups);

  void set_momentum(double momentum) override;  // leaves groups that began without alone
  bool has_momentum() const noexcept override { return true; }

 protected:
  void update(std::size_t group, std::uint64_t count, const Operands& operands) override;
  const char* refuses_rows(std::size_t group) const noexcept override;
};

}  // namespace feral::optim
