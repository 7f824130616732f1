#include "nn/layer_norm.hpp"

#include "autograd/ops/normalization.hpp"
#include "core/fail.hpp"
#include "nn/repr.hpp"

namespace feral::nn {
namespace {

void check_normalized(const char* kind, const Shape& shape, double eps) {
  bool possible = shape.dims() > 0;
  for (const std::int64_t size : shape) possible = possible && size >= 1;
  if (!possible) fail("{}: no normalized shape {}: one or more sizes of at least 1", kind, shape.to_string());
  if (!(eps >= 0)) fail("{}: eps {} must not be negative", kind, eps);
}

void check_tail(const char* kind, const Tensor& x, const Shape& shape) {
  bool fits = x.defined() && x.dims() >= shape.dims();
  for (int i = 0; fits && i < shape.dims(); ++i) fits = x.shape()[x.dims() - shape.dims() + i] == shape[i];
  if (!fits) fail("{}: expected an input that ends in {}, got {}", kind, shape.to_string(), x.to_string());
}

}  // namespace

LayerNorm::LayerNorm(const Dims& normalized_shape, LayerNormOptions options)
    : normalized_shape_(normalized_shape), options_(options) {
  check_normalized("LayerNorm", normalized_shape_, options.eps);
  if (!options.elementwise_affine) return;
  weight = Tensor::ones(normalized_shape_);
  register_parameter("weight", weight);
  if (!options.bias) return;
  bias = Tensor::zeros(normalized_shape_);
  register_parameter("bias", bias);
}

Tensor LayerNorm::forward(const Tensor& x) {
  check_tail("LayerNorm", x, normalized_shape_);
  return layer_norm(x, normalized_shape_, weight, bias, options_.eps);
}

std::string LayerNorm::extra_repr() const {
  return fmt::format("{}, eps={}, elementwise_affine={}, bias={}", repr_of(normalized_shape_),
                     repr_of(options_.eps), repr_of(options_.elementwise_affine), repr_of(bias.defined()));
}

RMSNorm::RMSNorm(const Dims& normalized_shape, RMSNormOptions options)
    : normalized_shape_(normalized_shape), options_(options) {
  check_normalized("RMSNorm", normalized_shape_, options.eps.value_or(0));
  if (!options.elementwise_affine) return;
  weight = Tensor::ones(normalized_shape_);
  register_parameter("weight", weight);
}

Tensor RMSNorm::forward(const Tensor& x) {
  check_tail("RMSNorm", x, normalized_shape_);
  return rms_norm(x, normalized_shape_, weight, options_.eps);
}

std::string RMSNorm::extra_repr() const {
  return fmt::format("{}, eps={}, elementwise_affine={}", repr_of(normalized_shape_),
                     options_.eps ? repr_of(*options_.eps) : "None", repr_of(options_.elementwise_affine));
}

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels, GroupNormOptions options)
    : num_groups_(num_groups), num_channels_(num_channels), options_(options) {
  if (num_groups < 1 || num_channels < 1 || num_channels % num_groups != 0) {
    fail("GroupNorm: {} channels do not fall into {} groups", num_channels, num_groups);
  }
  if (!(options.eps >= 0)) fail("GroupNorm: eps {} must not be negative", options.eps);
  if (!options.affine) return;
  weight = Tensor::ones({num_channels});
  bias = Tensor::zeros({num_channels});
  register_parameter("weight", weight);
  register_parameter("bias", bias);
}

Tensor GroupNorm::forward(const Tensor& x) {
  if (!x.defined() || x.dims() < 2 || x.shape()[1] != num_channels_) {
    fail("GroupNorm: expected [n, {}, ...], got {}", num_channels_, x.to_string());
  }
  return group_norm(x, num_groups_, weight, bias, options_.eps);
}

std::string GroupNorm::extra_repr() const {
  return fmt::format("{}, {}, eps={}, affine={}, bias={}", num_groups_, num_channels_, repr_of(options_.eps),
                     repr_of(options_.affine), repr_of(bias.defined()));
}

}  // namespace feral::nn
