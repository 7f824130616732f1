// Connectionist temporal classification.
#pragma once

#include "nn/loss/reduction.hpp"

namespace feral::nn {

struct CTCLossOptions {
  std::int64_t blank = 0;
  Reduction reduction = Reduction::mean;  // of the losses, each divided by its target's length
  bool zero_infinity = false;             // a target that is too long for its input counts as 0 instead of infinity
};
// -log of the probability of each target, over all alignments (Graves et al., 2006). log_probabilities
// [steps, n, classes] with targets [n, longest] or, one behind the other, [all], and lengths [n]; or
// [steps, classes] with [length] and lengths []. Integers are int64 or int32.
Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CTCLossOptions& options = {});

}  // namespace feral::nn
