// Pooling.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct Pool2dGeometry {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
};

struct PoolingKernels {
  // Contiguous tensors: x [n, c, h, w], out [n, c, oh, ow]; window uint8 like out: where in its window, row by row,
  // the maximum stood (the first of equals); undefined when no gradient is wanted.
  void (*max_pool2d)(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
  void (*max_pool2d_scatter)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                             Pool2dGeometry geometry);
  void (*max_pool2d_gather)(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);
};

}  // namespace feral
