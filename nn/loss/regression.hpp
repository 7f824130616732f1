// Losses of numbers: input and target of one shape, which is that of the losses before they are reduced.
#pragma once

#include "nn/loss/reduction.hpp"

namespace feral::nn {

// (input - target)².
Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});

// |input - target|.
Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});

struct SmoothL1LossOptions {
  double beta = 1;  // 0: l1_loss
  Reduction reduction = Reduction::mean;
};
// With d = |input - target|: d² / (2 beta) below beta, d - beta / 2 above (Girshick, "Fast R-CNN", 2015).
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1LossOptions& options = {});

struct HuberLossOptions {
  double delta = 1;
  Reduction reduction = Reduction::mean;
};
// beta times smooth_l1_loss (Huber, "Robust estimation of a location parameter", 1964).
Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberLossOptions& options = {});

struct PoissonNLLLossOptions {
  bool log_input = true;  // input is the logarithm of the expected count
  bool full = false;      // adds Stirling's approximation of log target! where the target is above 1
  double eps = 1e-8;      // added before the logarithm of an input that is none
  Reduction reduction = Reduction::mean;
};
// e^input - target * input; input - target log(input + eps) without log_input.
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNLLLossOptions& options = {});

struct GaussianNLLLossOptions {
  bool full = false;  // adds log(2π) / 2
  double eps = 1e-6;  // variances below count as this; their gradient does not see it
  Reduction reduction = Reduction::mean;
};
// (log var + (input - target)² / var) / 2. var (no number below 0) has input's shape, or that with a last size of 1
// or without the last dimension.
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLLossOptions& options = {});

}  // namespace feral::nn
