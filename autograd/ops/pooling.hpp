// Max-pooling over windows of two dimensions.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// x [n, c, h, w] → [n, c, oh, ow], oh = (h - kernel) / stride + 1 rounded down. No padding.
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

}  // namespace feral::ops

namespace feral {

// The largest of each window; shapes at ops::MaxPool2d. Windows hold at most 256 elements.
Tensor max_pool2d(const Tensor& x, Pool2dGeometry geometry = {});

}  // namespace feral
