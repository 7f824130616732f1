#include "nn/batch_norm.hpp"

#include "autograd/grad_mode.hpp"
#include "autograd/ops/normalization.hpp"
#include "core/fail.hpp"
#include "nn/batched.hpp"
#include "nn/repr.hpp"
#include "nn/running_statistics.hpp"

namespace feral::nn {
namespace {

// The variance divided by count - 1 as a multiple of that divided by the count.
double unbiased(std::int64_t count) { return static_cast<double>(count) / static_cast<double>(count - 1); }

}  // namespace

ChannelNorm::ChannelNorm(std::string_view kind, std::int64_t num_features, const BatchNormOptions& options)
    : num_features_(num_features), options_(options) {
  if (num_features < 1) fail("{}: {} features; there must be at least 1", kind, num_features);
  if (!(options.eps >= 0)) fail("{}: eps {} must not be negative", kind, options.eps);
  if (options.momentum && !(*options.momentum >= 0 && *options.momentum <= 1)) {
    fail("{}: momentum {} is outside of [0, 1]", kind, *options.momentum);
  }
  if (options.affine) {
    weight = Tensor::ones({num_features});
    bias = Tensor::zeros({num_features});
    register_parameter("weight", weight);
    register_parameter("bias", bias);
  }
  if (!options.track_running_stats) return;
  running_mean = Tensor::zeros({num_features});
  running_var = Tensor::ones({num_features});
  num_batches_tracked = Tensor::zeros({}, DType::int64);
  register_buffer("running_mean", running_mean);
  register_buffer("running_var", running_var);
  register_buffer("num_batches_tracked", num_batches_tracked);
}

std::string ChannelNorm::extra_repr() const {
  return fmt::format("{}, eps={}, momentum={}, affine={}, bias={}, track_running_stats={}", num_features_,
                     repr_of(options_.eps), options_.momentum ? repr_of(*options_.momentum) : "None",
                     repr_of(options_.affine), repr_of(bias.defined()), repr_of(options_.track_running_stats));
}

Tensor BatchNormNd::forward(const Tensor& x) {
  if (!x.defined() || x.dims() < fewest_ || x.dims() > most_ || x.shape()[1] != num_features()) {
    fail("{}: expected [n, {}, ...] with {} to {} dimensions, got {}", kind(), num_features(), fewest_, most_,
         x.to_string());
  }
  const double eps = options().eps;
  if (!uses_batch()) return batch_norm_by(x, running_moments(running_mean, running_var), weight, bias, eps);
  const std::int64_t count = x.numel() / num_features();
  if (count < 2) {
    fail("{}: input {} has {} value a channel; a batch's statistics take at least 2", kind(), x.to_string(), count);
  }
  const Tensor moments = batch_moments(x);
  if (updates()) {
    const std::int64_t batches = count_batch(num_batches_tracked);
    const double factor = options().momentum.value_or(1 / static_cast<double>(batches));
    update_running(running_mean, moments.detach().select(0, 0), factor);
    update_running(running_var, moments.detach().select(0, 1), factor, unbiased(count));
  }
  return batch_norm(x, moments, weight, bias, eps);
}

Tensor InstanceNormNd::forward(const Tensor& x) {
  return batched(x, dims_ - 1, [&](const Tensor& batch) { return normalized(batch); });
}

Tensor InstanceNormNd::normalized(const Tensor& x) {
  const std::int64_t channels = num_features();
  if (!x.defined() || x.dims() != dims_ || x.shape()[1] != channels) {
    fail("{}: expected [n, {}] and {} spatial dimensions, with or without n, got {}", kind(), channels, dims_ - 2,
         x.to_string());
  }
  const double eps = options().eps;
  if (!uses_batch()) return batch_norm_by(x, running_moments(running_mean, running_var), weight, bias, eps);
  const std::int64_t planes = x.shape()[0] * channels;
  const std::int64_t count = planes == 0 ? 0 : x.numel() / planes;
  if (count < 2) {
    fail("{}: input {} has {} spatial elements; an instance's statistics take at least 2", kind(), x.to_string(),
         count);
  }
  if (updates()) {
    const NoGradGuard no_grad;
    const Tensor each = batch_moments(x.reshape({1, planes, count}));
    const Tensor moments = each.reshape({2, x.shape()[0], channels}).mean(1);
    const double factor = options().momentum.value_or(0);
    update_running(running_mean, moments.select(0, 0), factor);
    update_running(running_var, moments.select(0, 1), factor, unbiased(count));
  }
  return instance_norm(x, weight, bias, eps);
}

}  // namespace feral::nn
