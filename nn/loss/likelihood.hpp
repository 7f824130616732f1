// Losses of probabilities: cross entropies and divergences.
#pragma once

#include "autograd/ops/classification.hpp"
#include "nn/loss/reduction.hpp"

namespace feral::nn {

using feral::nll_loss;
using feral::NLLLossOptions;

struct CrossEntropyLossOptions {
  Tensor weight = {};                // [classes]: factors of the classes' losses
  std::int64_t ignore_index = -100;  // what has this class takes no part; class indices alone
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // that much of each target is spread evenly over all classes
};
// -log softmax(input) at the target: input [classes], [n, classes] or [n, classes, d...]. The target is int64
// classes
// ([], [n] or [n, d...]; the mean is weighted with their weights), or probabilities of input's shape (the mean is
// over all rows).
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyLossOptions& options = {});

struct BCELossOptions {
  Tensor weight = {};  // factors of the losses; broadcasts to input's shape
  Reduction reduction = Reduction::mean;
};
// -(target log input + (1 - target) log(1 - input)); input in [0, 1], target of its shape. Logarithms are at least
// -100, as in PyTorch.
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BCELossOptions& options = {});

struct BCEWithLogitsLossOptions {
  Tensor weight = {};      // factors of the losses; broadcasts to input's shape
  Tensor pos_weight = {};  // factors of target log sigmoid(input); broadcasts to input's shape
  Reduction reduction = Reduction::mean;
};
// binary_cross_entropy of sigmoid(input), without its overflows.
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const BCEWithLogitsLossOptions& options = {});

enum class KLDivReduction : std::uint8_t { none, mean, sum, batchmean };  // batchmean: the sum / the first size
struct KLDivLossOptions {
  KLDivReduction reduction = KLDivReduction::mean;
  bool log_target = false;  // target holds logarithms, too
};
// target (log target - input), input the logarithms of probabilities; 0 where the target is.
Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivLossOptions& options = {});

}  // namespace feral::nn
