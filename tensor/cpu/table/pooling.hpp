// The CPU's part of the table; contracts in tensor/kernels/pooling.hpp.
#pragma once

#include "tensor/kernels/pooling.hpp"

namespace feral::cpu {

void max_pool2d(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
void max_pool2d_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                        Pool2dGeometry geometry);
void max_pool2d_gather(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);

inline constexpr PoolingKernels pooling_kernels = {
    .max_pool2d = max_pool2d,
    .max_pool2d_scatter = max_pool2d_scatter,
    .max_pool2d_gather = max_pool2d_gather,
};

}  // namespace feral::cpu
