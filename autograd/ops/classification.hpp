// log-softmax and the negative log-likelihood.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// x [n, classes] of log-probabilities, target int64 [n] → the mean of -x[i, target[i]], 0-dimensional.
struct NllLoss {
  static constexpr std::string_view name = "nll_loss";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x, const Tensor& target);
  static void run(const Attributes&, const Tensor& out, Aux<NllLoss>&, const Tensor& x, const Tensor& target);
  static Gradients<2> gradient(const Saved<NllLoss>& saved, const Tensor& gradient);
};

// gradient 0-dimensional, target → [n, classes] with -gradient / n at the targets.
struct NllLossScatter {
  static constexpr std::string_view name = "nll_loss_scatter";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    std::int64_t classes = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient, const Tensor& target);
  static void run(const Attributes&, const Tensor& out, Aux<NllLossScatter>&, const Tensor& gradient,
                  const Tensor& target);
  static Gradients<2> gradient(const Saved<NllLossScatter>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Over the last dimension of x [n, classes].
Tensor log_softmax(const Tensor& x);

// The mean over n of -log_probabilities[i, target[i]]; target int64 [n], each in [0, classes).
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target);

}  // namespace feral
