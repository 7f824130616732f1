// Connectionist temporal classification.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// log_probabilities [steps, batch, classes]; targets int64 [batch, most] or, one sample's behind the other's,
// [all]; input_lengths and target_lengths int64 [batch] → [batch]. The gradient is that of the function itself:
// PyTorch's native kernel adds a softmax that vanishes behind log_softmax. It cannot be differentiated again: an
// error.
struct CtcLoss {
  static constexpr std::string_view name = "ctc_loss";
  static constexpr int arity = 4;
  static constexpr unsigned saved_inputs = 0b1111;
  static constexpr int aux = 1;  // the forward variables
  using Attributes = CtcSettings;
  static Result infer(const Attributes& settings, const Tensor& log_probabilities, const Tensor& targets,
                      const Tensor& input_lengths, const Tensor& target_lengths);
  static void run(const Attributes& settings, const Tensor& out, Aux<CtcLoss>& aux, const Tensor& log_probabilities,
                  const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths);
  static Gradients<4> gradient(const Saved<CtcLoss>& saved, const Tensor& gradient);
};

struct CtcLossBackward {
  static constexpr std::string_view name = "ctc_loss_backward";
  static constexpr int arity = 6;  // gradient, forward variables, and CtcLoss's inputs
  static constexpr bool differentiable = false;
  using Attributes = CtcSettings;
  static Result infer(const Attributes& settings, const Tensor& gradient, const Tensor& alphas,
                      const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                      const Tensor& target_lengths);
  static void run(const Attributes& settings, const Tensor& out, Aux<CtcLossBackward>&, const Tensor& gradient,
                  const Tensor& alphas, const Tensor& log_probabilities, const Tensor& targets,
                  const Tensor& input_lengths, const Tensor& target_lengths);
};

}  // namespace feral::ops
