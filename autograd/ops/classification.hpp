// log-softmax and the negative log-likelihood.
#pragma once

#include <limits>

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

// Throws feral::Error naming `op` unless `target` is contiguous int64 [rows] within [0, classes); `ignored` may
// stand in it as well.
void check_class_target(std::string_view op, const Tensor& target, std::int64_t rows, std::int64_t classes,
                        std::int64_t ignored = std::numeric_limits<std::int64_t>::min());
// Throws unless `weight` is undefined, or [classes] of x's type and requires no gradient.
void check_class_weight(std::string_view op, const Tensor& weight, std::int64_t classes, const Tensor& x);

// Scores of classes and their targets as rows.
struct ClassRows {
  Tensor x;       // [rows, classes]
  Tensor target;  // int64 [rows], contiguous
  Shape losses;   // what the losses of all rows are shaped to
};
// x [classes] with target [], [n, classes] with [n], or [n, classes, d...] with [n, d...]; throws for others.
ClassRows class_rows(std::string_view op, const Tensor& x, const Tensor& target);

}  // namespace feral::ops

namespace feral {

// Over the last dimension of x [n, classes].
Tensor log_softmax(const Tensor& x);

struct NLLLossOptions {
  Tensor weight = {};                // [classes]: factors of the classes' losses
  std::int64_t ignore_index = -100;  // what has this target takes no part
  Reduction reduction = Reduction::mean;
};

// -log_probabilities[i, target[i]], reduced: the mean is weighted with the targets' weights. log_probabilities
// [classes], [n, classes] or [n, classes, d...]; target int64 [], [n] or [n, d...], each in [0, classes).
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NLLLossOptions& options = {});

}  // namespace feral
