// The CPU's part of the table; contracts in tensor/kernels/pooling.hpp.
#pragma once

#include "tensor/kernels/pooling.hpp"

namespace feral::cpu {

void max_pool2d(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
void max_pool2d_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                        Pool2dGeometry geometry);
void max_pool2d_gather(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);
void max_pool_indices(const Tensor& indices, const Tensor& x, const PoolGeometry& geometry);
void pool_gather(const Tensor& out, const Tensor& x, const Tensor& indices);
void pool_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& indices);
void avg_pool(const Tensor& out, const Tensor& x, const PoolGeometry& geometry);
void avg_pool_backward(const Tensor& x_gradient, const Tensor& out_gradient, const PoolGeometry& geometry);
void interpolate(const Tensor& out, const Tensor& x, const InterpolateGeometry& geometry);
void interpolate_backward(const Tensor& x_gradient, const Tensor& out_gradient,
                          const InterpolateGeometry& geometry);

inline constexpr PoolingKernels pooling_kernels = {
    .max_pool2d = max_pool2d,
    .max_pool2d_scatter = max_pool2d_scatter,
    .max_pool2d_gather = max_pool2d_gather,
    .max_pool_indices = max_pool_indices,
    .pool_gather = pool_gather,
    .pool_scatter = pool_scatter,
    .avg_pool = avg_pool,
    .avg_pool_backward = avg_pool_backward,
    .interpolate = interpolate,
    .interpolate_backward = interpolate_backward,
};

}  // namespace feral::cpu
