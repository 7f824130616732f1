// Pooling over windows of one to three dimensions.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Square windows of two dimensions without padding: x [n, c, h, w] → [n, c, oh, ow],
// oh = (h - kernel) / stride + 1 rounded down.
struct MaxPool2d {
  static constexpr std::string_view name = "max_pool2d";
  static constexpr int arity = 1;
  static constexpr int aux = 1;  // where in its window each maximum stood
  using Attributes = Pool2dGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x);
  static void run(const Attributes& geometry, const Tensor& out, Aux<MaxPool2d>& aux, const Tensor& x);
  static Gradients<1> gradient(const Saved<MaxPool2d>& saved, const Tensor& gradient);
};

// Sends each element of gradient [n, c, oh, ow] to where its maximum stood → [n, c, h, w].
struct MaxPool2dScatter {
  static constexpr std::string_view name = "max_pool2d_scatter";
  static constexpr int arity = 2;  // gradient, window
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    Pool2dGeometry geometry;
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient, const Tensor& window);
  static void run(const Attributes& attributes, const Tensor& out, Aux<MaxPool2dScatter>&, const Tensor& gradient,
                  const Tensor& window);
  static Gradients<2> gradient(const Saved<MaxPool2dScatter>& saved, const Tensor& gradient);
};

// Fetches from x [n, c, h, w] the elements where the maxima stood → [n, c, oh, ow].
struct MaxPool2dGather {
  static constexpr std::string_view name = "max_pool2d_gather";
  static constexpr int arity = 2;  // x, window
  static constexpr unsigned saved_inputs = 0b10;
  using Attributes = Pool2dGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x, const Tensor& window);
  static void run(const Attributes& geometry, const Tensor& out, Aux<MaxPool2dGather>&, const Tensor& x,
                  const Tensor& window);
  static Gradients<2> gradient(const Saved<MaxPool2dGather>& saved, const Tensor& gradient);
};

// Where the largest of each window stands, all windows: x [n, c, d…] → int64 [n, c, od…], positions in a plane of
// x, row by row.
struct MaxPoolIndices {
  static constexpr std::string_view name = "max_pool_indices";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  using Attributes = PoolGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x);
  static void run(const Attributes& geometry, const Tensor& out, Aux<MaxPoolIndices>&, const Tensor& x);
};

// Fetches from each plane of x [n, c, d…] the elements at indices int64 [n, c, od…] → [n, c, od…].
struct PoolGather {
  static constexpr std::string_view name = "pool_gather";
  static constexpr int arity = 2;  // x, indices
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x, const Tensor& indices);
  static void run(const Attributes&, const Tensor& out, Aux<PoolGather>&, const Tensor& x, const Tensor& indices);
  static Gradients<2> gradient(const Saved<PoolGather>& saved, const Tensor& gradient);
};

// Adds each element of gradient [n, c, od…] to its place in a plane of zeros → x_shape.
struct PoolScatter {
  static constexpr std::string_view name = "pool_scatter";
  static constexpr int arity = 2;  // gradient, indices
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient, const Tensor& indices);
  static void run(const Attributes& attributes, const Tensor& out, Aux<PoolScatter>&, const Tensor& gradient,
                  const Tensor& indices);
  static Gradients<2> gradient(const Saved<PoolScatter>& saved, const Tensor& gradient);
};

// x [n, c, d…] → [n, c, od…], the mean of each window.
struct AvgPool {
  static constexpr std::string_view name = "avg_pool";
  static constexpr int arity = 1;
  using Attributes = PoolGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x);
  static void run(const Attributes& geometry, const Tensor& out, Aux<AvgPool>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<AvgPool>& saved, const Tensor& gradient);
};

// gradient [n, c, od…] → x_shape
struct AvgPoolBackward {
  static constexpr std::string_view name = "avg_pool_backward";
  static constexpr int arity = 1;
  struct Attributes {
    PoolGeometry geometry;
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient);
  static void run(const Attributes& attributes, const Tensor& out, Aux<AvgPoolBackward>&, const Tensor& gradient);
  static Gradients<1> gradient(const Saved<AvgPoolBackward>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Each number for all spatial dimensions, or one for each.
template <int dims>
struct PoolOptions {
  PerDim<dims> kernel = 2;
  PerDim<dims> stride = {};   // the kernel's size unless given
  PerDim<dims> padding = 0;   // never the largest; at most half the window
  PerDim<dims> dilation = 1;  // distance of a window's elements
  bool ceil_mode = false;     // the last window may reach over the edge
};

template <int dims>
struct AvgPoolOptions {
  PerDim<dims> kernel = 2;
  PerDim<dims> stride = {};  // the kernel's size unless given
  PerDim<dims> padding = 0;  // zeros, at most half the window
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::int64_t divisor = 0;  // in the place of the number of elements, unless 0
};

// PyTorch's, of x [n, c, d…] → [n, c, od…], od = (d + 2 padding - dilation (kernel - 1) - 1) / stride + 1 rounded
// down, or up in ceil_mode. The first of equals gets the gradient; a NaN is the largest. float32 and float64;
// 16-bit floats are computed as float32 and come back. indices: positions in x's plane, row by row.
Tensor max_pool1d(const Tensor& x, PoolOptions<1> options = {});
Tensor max_pool2d(const Tensor& x, PoolOptions<2> options = {});
Tensor max_pool3d(const Tensor& x, PoolOptions<3> options = {});
ValuesIndices max_pool1d_with_indices(const Tensor& x, PoolOptions<1> options = {});
ValuesIndices max_pool2d_with_indices(const Tensor& x, PoolOptions<2> options = {});
ValuesIndices max_pool3d_with_indices(const Tensor& x, PoolOptions<3> options = {});
Tensor avg_pool1d(const Tensor& x, AvgPoolOptions<1> options = {});
Tensor avg_pool2d(const Tensor& x, AvgPoolOptions<2> options = {});
Tensor avg_pool3d(const Tensor& x, AvgPoolOptions<3> options = {});

// Windows for a result of `size`: number o of n reaches from o d / n rounded down to (o + 1) d / n rounded up.
Tensor adaptive_avg_pool1d(const Tensor& x, PerDim<1> size);
Tensor adaptive_avg_pool2d(const Tensor& x, PerDim<2> size);
Tensor adaptive_avg_pool3d(const Tensor& x, PerDim<3> size);
Tensor adaptive_max_pool1d(const Tensor& x, PerDim<1> size);
Tensor adaptive_max_pool2d(const Tensor& x, PerDim<2> size);
Tensor adaptive_max_pool3d(const Tensor& x, PerDim<3> size);

}  // namespace feral
