// Pooling, and resizing of images.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/per_dim.hpp"
#include "tensor/tensor.hpp"

namespace feral {

struct Pool2dGeometry {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
};

// Windows over one to three spatial dimensions, outermost first; numbers beyond a tensor's dimensions are not
// looked at.
struct PoolGeometry {
  PerDim<3> kernel = 1;
  PerDim<3> stride = 1;
  PerDim<3> padding = 0;
  PerDim<3> dilation = 1;
  bool ceil_mode = false;         // the last window may reach over the edge
  bool count_include_pad = true;  // of averages: padding counts as elements
  std::int64_t divisor = 0;       // of averages: in the place of the count, unless 0
  // The windows follow from the sizes alone: of `out` windows over `in` elements, number o reaches from
  // o * in / out rounded down to (o + 1) * in / out rounded up. `out` is then what the op's result has.
  bool adaptive = false;
  PerDim<3> out = 1;
};

enum class InterpolateMode { nearest, linear };

struct InterpolateGeometry {
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;
  PerDim<3> out = 1;                 // the result's sizes
  std::array<double, 3> scale = {};  // output elements an input element; 0: by the sizes
};

struct PoolingKernels {
  // Contiguous tensors: x [n, c, h, w], out [n, c, oh, ow]; window uint8 like out: where in its window, row by row,
  // the maximum stood (the first of equals); undefined when no gradient is wanted.
  void (*max_pool2d)(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry);
  void (*max_pool2d_scatter)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                             Pool2dGeometry geometry);
  void (*max_pool2d_gather)(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry);

  // Contiguous tensors of float32 or float64: x [n, c, d…], out [n, c, od…]; no window lies in padding alone.
  // indices int64 like out: where in its plane of x, row by row, each maximum stands: the first of equals, a NaN
  // before all.
  void (*max_pool_indices)(const Tensor& indices, const Tensor& x, const PoolGeometry& geometry);
  // out[i] = x[indices[i]] of the same plane; and back, added up. The indices lie within a plane.
  void (*pool_gather)(const Tensor& out, const Tensor& x, const Tensor& indices);
  void (*pool_scatter)(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& indices);
  void (*avg_pool)(const Tensor& out, const Tensor& x, const PoolGeometry& geometry);
  void (*avg_pool_backward)(const Tensor& x_gradient, const Tensor& out_gradient, const PoolGeometry& geometry);
  void (*interpolate)(const Tensor& out, const Tensor& x, const InterpolateGeometry& geometry);
  void (*interpolate_backward)(const Tensor& x_gradient, const Tensor& out_gradient,
                               const InterpolateGeometry& geometry);
};

}  // namespace feral
