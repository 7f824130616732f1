// Losses.
#pragma once

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral::nn {

// The mean of -log softmax(logits)[i, target[i]]; logits [n, classes], target int64 [n].
inline Tensor cross_entropy(const Tensor& logits, const Tensor& target) {
  return nll_loss(log_softmax(logits), target);
}

// The mean squared difference of two tensors of one shape.
inline Tensor mse_loss(const Tensor& prediction, const Tensor& target) {
  if (prediction.defined() && target.defined() && !(prediction.shape() == target.shape())) {
    fail("mse_loss: shapes {} and {} differ", prediction.shape().to_string(), target.shape().to_string());
  }
  const Tensor difference = prediction - target;
  return (difference * difference).mean();
}

}  // namespace feral::nn
