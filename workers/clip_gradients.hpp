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

}  // namespace feral
