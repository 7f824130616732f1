// Cross entropy of logits with class indices.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// logits [rows, classes], target int64 [rows], weight [classes] or undefined → [rows], or 0-dimensional for a mean
// or a sum; what it computes stands at LossKernels::cross_entropy. The weight has no gradient.
struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b111;
  static constexpr int aux = 1;  // the kernel's terms
  using Attributes = CrossEntropySettings;
  static Result infer(const Attributes& settings, const Tensor& logits, const Tensor& target, const Tensor& weight);
  static void run(const Attributes& settings, const Tensor& out, Aux<CrossEntropy>& aux, const Tensor& logits,
                  const Tensor& target, const Tensor& weight);
  static Gradients<3> gradient(const Saved<CrossEntropy>& saved, const Tensor& gradient);
};

// The gradient in one pass. Not differentiable: where the gradient is recorded, CrossEntropy writes it in other
// ops.
struct CrossEntropyBackward {
  static constexpr std::string_view name = "cross_entropy_backward";
  static constexpr int arity = 5;  // gradient, terms, logits, target, weight
  static constexpr bool differentiable = false;
  using Attributes = CrossEntropySettings;
  static Result infer(const Attributes& settings, const Tensor& gradient, const Tensor& terms, const Tensor& logits,
                      const Tensor& target, const Tensor& weight);
  static void run(const Attributes& settings, const Tensor& out, Aux<CrossEntropyBackward>&, const Tensor& gradient,
                  const Tensor& terms, const Tensor& logits, const Tensor& target, const Tensor& weight);
};

}  // namespace feral::ops
