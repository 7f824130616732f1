// Two-dimensional convolution and its two gradients, each an op with gradients of its own.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// x [n, c, h, w], weight [o, c, kh, kw], bias [o] or undefined → [n, o, oh, ow],
// oh = (h + 2 padding - kh) / stride + 1 rounded down.
struct Conv2d {
  static constexpr std::string_view name = "conv2d";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b011;
  using Attributes = Conv2dGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void run(const Attributes& geometry, const Tensor& out, Aux<Conv2d>&, const Tensor& x,
                  const Tensor& weight, const Tensor& bias);
  static Gradients<3> gradient(const Saved<Conv2d>& saved, const Tensor& gradient);
};

// d/dx: gradient [n, o, oh, ow], weight → [n, c, h, w]
struct Conv2dInputGradient {
  static constexpr std::string_view name = "conv2d_input_gradient";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {
    Conv2dGeometry geometry;
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient, const Tensor& weight);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Conv2dInputGradient>&,
                  const Tensor& gradient, const Tensor& weight);
  static Gradients<2> gradient(const Saved<Conv2dInputGradient>& saved, const Tensor& gradient);
};

// d/dweight: x, gradient [n, o, oh, ow] → [o, c, kh, kw]
struct Conv2dWeightGradient {
  static constexpr std::string_view name = "conv2d_weight_gradient";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {
    Conv2dGeometry geometry;
    Shape weight_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& gradient);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Conv2dWeightGradient>&, const Tensor& x,
                  const Tensor& gradient);
  static Gradients<2> gradient(const Saved<Conv2dWeightGradient>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Cross-correlation as in PyTorch; shapes at ops::Conv2d. `bias` may be undefined.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Conv2dGeometry geometry = {});

}  // namespace feral
