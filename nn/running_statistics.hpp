// Running means and variances of normalization layers, which several workers may keep together.
//
// The buffers lie in the arena beside the parameters, and every worker that trains moves them a step towards its
// own batch's statistics: element by element, by a load and a store without a lock (tensor/racy.hpp). So
// - a value is always one that some worker has written, never torn;
// - an update may be lost when two workers move one element at the same time: the statistics then stand as if that
//   batch had not been seen, which a running mean forgets anyway;
// - mean and variance of a channel may stem from different batches;
// - num_batches_tracked may count short, never long.
// Reading them (evaluation) takes a private copy, element by element.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral::nn {

// running += factor * (scale * fresh - running). `running` [c], contiguous, floating; `fresh` [c], contiguous, of
// its type. Nothing is recorded, and the version of `running` stays: no op saves it for its gradient.
void update_running(const Tensor& running, const Tensor& fresh, double factor, double scale = 1);

// One batch more in num_batches_tracked, int64 []; the new number.
std::int64_t count_batch(const Tensor& batches);

// A private copy: [2, c] of mean [c] and variance [c].
Tensor running_moments(const Tensor& mean, const Tensor& variance);

}  // namespace feral::nn
