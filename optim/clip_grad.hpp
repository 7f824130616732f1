// Gradient clipping, of dense and sparse gradients. Parameters without a gradient do not count; nothing is
// recorded; allocates nothing when the gradients are contiguous. Of a parameter that has both kinds, each counts by
// itself.
#pragma once

#include <span>

#include "tensor/tensor.hpp"

namespace feral::optim {

struct ClipNormOptions {
  double norm_type = 2;  // p above 0; infinity: the largest magnitude
  bool error_if_nonfinite = false;
};

// The norm of all gradients together, as if they were one vector.
double total_grad_norm(std::span<const Tensor> parameters, double norm_type = 2);

// Multiplies all gradients by max_norm / (total norm + 1e-6) where that is below 1, and returns the total norm from
// before (PyTorch's torch.nn.utils.clip_grad_norm_). A total norm that is NaN or infinite makes the gradients NaN
// or 0 as in PyTorch, or throws feral::Error, with the gradients left alone, under error_if_nonfinite.
double clip_grad_norm_(std::span<const Tensor> parameters, double max_norm, ClipNormOptions options = {});

// Limits every element of every gradient to [-clip_value, clip_value]; NaN stays.
void clip_grad_value_(std::span<const Tensor> parameters, double clip_value);

}  // namespace feral::optim
