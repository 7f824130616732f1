// Normalization to mean 0 and variance 1.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// Rows that are normalized each for itself: a row is `channels` runs of `inner` elements, and row r's run c takes
// number (r % groups) * channels + c of weight and bias.
struct RowNormGeometry {
  std::int64_t rows = 0;
  std::int64_t groups = 1;
  std::int64_t channels = 1;
  std::int64_t inner = 1;
  double eps = 0;
  bool centered = true;  // false: the mean stays, and the mean square is made 1
};

struct NormalizationKernels {
  // Everywhere: contiguous tensors of one type, float32 or float64. weight and bias have a number for each channel,
  // may be live shared parameters, and may be undefined: 1 and 0. Gradients that are undefined are not wanted;
  // those of weight and bias are sums in float64 of stretches in the elements' type.

  // out = (x - mean) / root * weight + bias for each row, root = sqrt(variance + eps). stats [rows, 2], unless it
  // is undefined, takes each row's mean (0 when not centered) and 1 / root.
  void (*row_norm)(const Tensor& out, const Tensor& stats, const Tensor& x, const Tensor& weight,
                   const Tensor& bias, const RowNormGeometry& geometry);
  void (*row_norm_backward)(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                            const Tensor& gradient, const Tensor& x, const Tensor& stats, const Tensor& weight,
                            const RowNormGeometry& geometry);

  // moments [2, c]: each channel's mean and variance (divided by the count) over x [n, c, d…].
  void (*batch_moments)(const Tensor& moments, const Tensor& x);
  // out = (x - mean) / sqrt(variance + eps) * weight + bias, a channel at a time.
  void (*batch_norm)(const Tensor& out, const Tensor& x, const Tensor& moments, const Tensor& weight,
                     const Tensor& bias, double eps);
  // With the way through the moments, unless they are constant.
  void (*batch_norm_backward)(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                              const Tensor& gradient, const Tensor& x, const Tensor& moments, const Tensor& weight,
                              double eps, bool constant_moments);
};

}  // namespace feral
