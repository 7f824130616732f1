// Layer, root-mean-square and group normalization: every sample for itself, the same in training and evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nn/module.hpp"

namespace feral::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;
};

// The last dimensions, which must be of normalized_shape, made mean 0 and variance 1; Ba et al., "Layer
// normalization", 2016. Parameters (when affine): weight, ones at first, and bias, zeros, of normalized_shape.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const Dims& normalized_shape, LayerNormOptions options = {});
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  Tensor weight;  // undefined unless affine
  Tensor bias;    // undefined without one

 private:
  Shape normalized_shape_;
  LayerNormOptions options_;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  // none: the distance from 1 to the next number of the input's type
  bool elementwise_affine = true;
};

// The last dimensions divided by their root mean square; Zhang and Sennrich, "Root mean square layer
// normalization", 2019. Parameter (when affine): weight of normalized_shape, ones at first.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(const Dims& normalized_shape, RMSNormOptions options = {});
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  Tensor weight;  // undefined unless affine

 private:
  Shape normalized_shape_;
  RMSNormOptions options_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
};

// x [n, c, d…]: groups of c / num_groups channels made mean 0 and variance 1; Wu and He, "Group normalization",
// 2018. Parameters (when affine): weight [c], ones at first, and bias [c], zeros.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels, GroupNormOptions options = {});
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  Tensor weight;  // undefined unless affine, as is the bias
  Tensor bias;

 private:
  std::int64_t num_groups_;
  std::int64_t num_channels_;
  GroupNormOptions options_;
};

}  // namespace feral::nn
