// Clipping as `feral set JOB clip=X` asks for it.
#pragma once

#include "optim/clip_grad.hpp"
#include "optim/optimizer.hpp"
#include "workers/steering.hpp"

namespace feral {

// Clips the gradients of all of the optimizer's parameters, as one vector, to SteeringBlock::max_norm.
inline void clip_gradients(const optim::Optimizer& optimizer, const SteeringBlock& steering) {
  const double max_norm = steering.max_norm.load(std::memory_order_relaxed);
  if (max_norm > 0) optim::clip_grad_norm_(optimizer.parameters(), max_norm);
}

// The gate of a worker's optimizer.
class ClipGate final : public optim::StepGate {
 public:
  explicit ClipGate(const SteeringBlock& steering) noexcept : steering_(steering) {}
  bool enter(optim::Optimizer& optimizer) override {
    clip_gradients(optimizer, steering_);
    return true;
  }
  void leave(optim::Optimizer&) override {}

 private:
  const SteeringBlock& steering_;
};

}  // namespace feral
