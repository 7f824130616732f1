// Losses that are computed in one pass.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// What becomes of the losses of a batch: all of them, their mean, their sum.
enum class Reduction : std::uint8_t { none, mean, sum };

struct CrossEntropySettings {
  std::int64_t ignore_index = -100;  // rows with this target take no part
  double label_smoothing = 0;        // that much of each row's target is spread evenly over all classes
  Reduction reduction = Reduction::mean;
};

struct CtcSettings {
  std::int64_t blank = 0;
  bool zero_infinity = false;  // an infinite loss, and its gradient, become 0
};

// What stays the same in all of CTC's tensors; all contiguous. Of sample n the first input_lengths[n] steps count,
// and target_lengths[n] labels: row n of targets [batch, most], or, of one dimension, what follows sample n - 1's.
struct CtcInputs {
  const Tensor& log_probabilities;  // [steps, batch, classes]
  const Tensor& targets;            // int64
  const Tensor& input_lengths;      // int64 [batch]
  const Tensor& target_lengths;     // int64 [batch]
};

struct LossKernels {
  // x contiguous [rows, classes], target int64 [rows], weight [classes] or undefined; checked by the op. Row i has
  // the loss (1 - s) w[t] (-log softmax(x)[i, t]) + s / classes Σ_c w[c] (-log softmax(x)[i, c]), t = target[i],
  // s = label_smoothing; the mean is that weighted with w[t]. out [rows] or 0-dimensional, as the reduction says.
  // terms [2, rows] is left for the way back: the largest element of each row, and the logarithm of the sum of the
  // exponentials of its elements less that.
  void (*cross_entropy)(const Tensor& out, const Tensor& terms, const Tensor& x, const Tensor& target,
                        const Tensor& weight, const CrossEntropySettings& settings);
  // out [rows, classes]: the gradient of x; gradient is contiguous and shaped like cross_entropy's out.
  void (*cross_entropy_backward)(const Tensor& out, const Tensor& gradient, const Tensor& terms, const Tensor& x,
                                 const Tensor& target, const Tensor& weight, const CrossEntropySettings& settings);
  // out [batch]: -log of the probability of each target summed over its alignments. alphas [batch, steps, 2 most +
  // 1] (float64) is left for the way back: the forward variables' logarithms; most: the longest target.
  void (*ctc_loss)(const Tensor& out, const Tensor& alphas, const CtcInputs& inputs, const CtcSettings& settings);
  // out [steps, batch, classes]: the gradient of the log-probabilities.
  void (*ctc_loss_backward)(const Tensor& out, const Tensor& gradient, const Tensor& alphas,
                            const CtcInputs& inputs, const CtcSettings& settings);
};

}  // namespace feral
