// The fused update of stochastic gradient descent, on private or live shared memory.
#pragma once

#include <cstddef>

namespace feral::optim {

struct SGDOptions {
  double lr = 0.01;
  double momentum = 0;
  double weight_decay = 0;
};

// For each element: g = gradient + weight_decay * parameter; velocity = momentum * velocity + g;
// parameter -= lr * velocity (Sutskever et al., 2013, in PyTorch's form). `velocity` is nullptr without momentum.
//
// `parameter` (and `velocity`, when shared) may be written by other processes at the same time: each element is
// read once and written once, aligned, without a lock. Between the two another process's update may be lost; a
// value is never torn (tensor/racy.hpp).
void sgd_update(float* parameter, const float* gradient, float* velocity, std::size_t count,
                const SGDOptions& step);
void sgd_update(double* parameter, const double* gradient, double* velocity, std::size_t count,
                const SGDOptions& step);

}  // namespace feral::optim
