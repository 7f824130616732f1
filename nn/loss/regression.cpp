#include "nn/loss/regression.hpp"

#include <cmath>
#include <numbers>

#include "core/fail.hpp"

namespace feral::nn {
namespace {

// 1/2 d² up to ±delta, a tangent beyond: with c = d cut to ±delta it is c (d - c / 2).
Tensor huber_of(const Tensor& input, const Tensor& target, double delta) {
  const Tensor difference = input - target;
  const Tensor cut = difference.clamp(-delta, delta);
  return cut * (difference - cut * 0.5);
}

// The variances shaped so that they broadcast to the input.
Tensor variances_for(const Tensor& input, const Tensor& var) {
  const Shape& shape = input.shape();
  if (var.shape() == shape) return var;
  Shape rows = shape;
  if (rows.dims() > 0) rows[rows.dims() - 1] = 1;
  if (var.shape() == rows && rows.dims() > 0) return var;
  if (var.dims() + 1 == rows.dims() && var.unsqueeze(-1).shape() == rows) return var.unsqueeze(-1);
  fail("gaussian_nll_loss: variances of shape {} do not fit an input of shape {}", var.shape().to_string(),
       shape.to_string());
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_shape("mse_loss", input, target);
  return reduce((input - target).square(), options.reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_shape("l1_loss", input, target);
  return reduce((input - target).abs(), options.reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1LossOptions& options) {
  check_same_shape("smooth_l1_loss", input, target);
  if (!(options.beta >= 0)) fail("smooth_l1_loss: beta {} is below 0", options.beta);
  if (options.beta == 0) return reduce((input - target).abs(), options.reduction);
  return reduce(huber_of(input, target, options.beta) * (1 / options.beta), options.reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberLossOptions& options) {
  check_same_shape("huber_loss", input, target);
  if (!(options.delta > 0)) fail("huber_loss: delta {} is not above 0", options.delta);
  return reduce(huber_of(input, target, options.delta), options.reduction);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNLLLossOptions& options) {
  check_same_shape("poisson_nll_loss", input, target);
  Tensor losses = options.log_input ? input.exp() - target * input : input - target * (input + options.eps).log();
  if (options.full) {
    const Tensor none = target.le(1);
    // 1 where it does not count: a logarithm of 0 would be a NaN in the gradient.
    const Tensor count = target.masked_fill(none, 1);
    const Tensor stirling = count * count.log() - count + (count * (2 * std::numbers::pi)).log() * 0.5;
    losses = losses + stirling.masked_fill(none, 0);
  }
  return reduce(losses, options.reduction);
}

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLLossOptions& options) {
  check_same_shape("gaussian_nll_loss", input, target);
  if (!var.defined()) fail("gaussian_nll_loss: the variances are undefined");
  if (!(options.eps > 0)) fail("gaussian_nll_loss: eps {} is not above 0", options.eps);
  const Tensor given = variances_for(input, var);
  const Tensor values = given.detach();
  if (values.lt(0).any().item<bool>()) fail("gaussian_nll_loss: a variance is below 0");
  // Raised to eps by a constant: the gradient passes as if nothing had been done.
  const Tensor raised = given + (values.clamp_min(options.eps) - values);
  Tensor losses = (raised.log() + (input - target).square() / raised) * 0.5;
  if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduce(losses, options.reduction);
}

}  // namespace feral::nn
