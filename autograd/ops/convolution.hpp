// Convolution of one to three spatial dimensions and its two gradients: three ops that are each other's gradients.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Cross-correlation. x [n, c, d…], weight [o, c / groups, k…], bias [o] or undefined → [n, o, od…],
// od = (d + 2 padding - dilation (k - 1) - 1) / stride + 1 rounded down.
struct Convolution {
  static constexpr std::string_view name = "convolution";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b011;
  using Attributes = ConvGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void run(const Attributes& geometry, const Tensor& out, Aux<Convolution>&, const Tensor& x,
                  const Tensor& weight, const Tensor& bias);
  static Gradients<3> gradient(const Saved<Convolution>& saved, const Tensor& gradient);
};

// d/dx: gradient [n, o, od…], weight → [n, c, d…]. As a forward pass it is the transposed convolution.
struct ConvolutionInputGradient {
  static constexpr std::string_view name = "convolution_input_gradient";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {
    ConvGeometry geometry;
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient, const Tensor& weight);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ConvolutionInputGradient>&,
                  const Tensor& gradient, const Tensor& weight);
  static Gradients<2> gradient(const Saved<ConvolutionInputGradient>& saved, const Tensor& gradient);
};

// d/dweight: x, gradient [n, o, od…] → [o, c / groups, k…]
struct ConvolutionWeightGradient {
  static constexpr std::string_view name = "convolution_weight_gradient";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {
    ConvGeometry geometry;
    Shape weight_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& gradient);
  static void run(const Attributes& attributes, const Tensor& out, Aux<ConvolutionWeightGradient>&, const Tensor& x,
                  const Tensor& gradient);
  static Gradients<2> gradient(const Saved<ConvolutionWeightGradient>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Each number for all spatial dimensions, or one for each: {.stride = 2, .padding = {1, 0}}.
template <int dims>
struct ConvOptions {
  PerDim<dims> stride = 1;
  PerDim<dims> padding = 0;   // zeros on both sides
  PerDim<dims> dilation = 1;  // distance of a kernel's taps
  std::int64_t groups = 1;    // channels and filters fall into groups that do not see each other
};

template <int dims>
struct ConvTransposeOptions {
  PerDim<dims> stride = 1;
  PerDim<dims> padding = 0;         // taken off both sides of the result
  PerDim<dims> output_padding = 0;  // added to its far side, below the stride
  std::int64_t groups = 1;
  PerDim<dims> dilation = 1;
};

// PyTorch's; shapes at ops::Convolution. `bias` may be undefined. float32 and float64; 16-bit floats are computed
// as float32 and come back; all of one type.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, ConvOptions<1> options = {});
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, ConvOptions<2> options = {});
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, ConvOptions<3> options = {});

// x [n, c, d…], weight [c, o / groups, k…], bias [o] or undefined → [n, o, od…],
// od = (d - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        ConvTransposeOptions<1> options = {});
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        ConvTransposeOptions<2> options = {});
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        ConvTransposeOptions<3> options = {});

}  // namespace feral
