// Running means and variances of normalization layers, which several workers may keep together. What holds for them
// then is said in nn/batch_norm.hpp.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral::nn {

// running += factor * (scale * fresh - running). `running` [c], contiguous, floating; `fresh` [c], contiguous, of
// its type. Nothing is recorded.
void update_running(const Tensor& running, const Tensor& fresh, double factor, double scale = 1);

// One batch more in num_batches_tracked, int64 []; the new number.
std::int64_t count_batch(const Tensor& batches);

// A private copy: [2, c] of mean [c] and variance [c].
Tensor running_moments(const Tensor& mean, const Tensor& variance);

}  // namespace feral::nn
