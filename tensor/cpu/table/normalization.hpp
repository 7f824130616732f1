// The CPU's part of the table; contracts in tensor/kernels/normalization.hpp.
#pragma once

#include "tensor/kernels/normalization.hpp"

namespace feral::cpu {

void row_norm(const Tensor& out, const Tensor& stats, const Tensor& x, const Tensor& weight, const Tensor& bias,
              const RowNormGeometry& geometry);
void row_norm_backward(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                       const Tensor& gradient, const Tensor& x, const Tensor& stats, const Tensor& weight,
                       const RowNormGeometry& geometry);
void batch_moments(const Tensor& moments, const Tensor& x);
void batch_norm(const Tensor& out, const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias,
                double eps);
void batch_norm_backward(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                         const Tensor& gradient, const Tensor& x, const Tensor& moments, const Tensor& weight,
                         double eps, bool constant_moments);

inline constexpr NormalizationKernels normalization_kernels = {
    .row_norm = row_norm,
    .row_norm_backward = row_norm_backward,
    .batch_moments = batch_moments,
    .batch_norm = batch_norm,
    .batch_norm_backward = batch_norm_backward,
};

}  // namespace feral::cpu
