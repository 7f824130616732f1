// The loss on top of log-softmax.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct ClassificationKernels {
  // x contiguous [rows, classes], out 0-dimensional: the mean over rows of -x[row, target[row]]; target int64
  // [rows], checked by the op.
  void (*nll_loss)(const Tensor& out, const Tensor& x, const Tensor& target);
  // out[row, target[row]] = -gradient / rows, 0 elsewhere.
  void (*nll_loss_scatter)(const Tensor& out, const Tensor& gradient, const Tensor& target);
};

}  // namespace feral
