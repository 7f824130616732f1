// Stochastic gradient descent.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "optim/sgd_update.hpp"
#include "tensor/tensor.hpp"

namespace feral::optim {

// Updates parameters in place from their gradients, in one pass (sgd_update.hpp has the rule). The parameters may
// be live shared memory: nothing else in a training step writes it.
class SGD {
 public:
  // Throws feral::Error for options out of range.
  SGD(std::vector<Tensor> parameters, SGDOptions options);

  // Applies and keeps the gradients; parameters without one stay as they are. Allocates nothing after the first
  // call.
  void step();
  // Drops the gradients.
  void zero_grad();

  double lr() const noexcept { return options_.lr; }
  void set_lr(double lr) noexcept { options_.lr = lr; }

  // Bytes of momentum, laid out like the flat parameters; 0 without momentum.
  std::size_t state_bytes() const noexcept;
  // Keeps the momentum in `state` (state_bytes() long, zeroes at the start) instead of private memory: shared among
  // the workers when it lies in the arena.
  void bind_state(std::span<std::byte> state);

 private:
  std::vector<Tensor> parameters_;
  SGDOptions options_;
  std::vector<Tensor> velocities_;  // one a parameter, or none
};

}  // namespace feral::optim
