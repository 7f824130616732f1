// Normalization to mean 0 and variance 1: of rows (layer, root mean square), of groups of channels, and of channels
// over a batch.
//
// The gradients are fused kernels. Where the gradient itself is recorded (create_graph) it is computed by ordinary
// ops instead, so second and higher derivatives follow.
#pragma once

#include <optional>

#include "autograd/op.hpp"

namespace feral::ops {

// x [..., normalized…]; weight, bias [normalized…] or undefined. (x - mean) / sqrt(variance + eps) * weight + bias,
// with the moments of the last dimensions; Ba et al., "Layer normalization", 2016.
struct LayerNorm {
  static constexpr std::string_view name = "layer_norm";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b011;
  static constexpr int aux = 1;  // [rows, 2]: mean and 1 / root
  struct Attributes {
    Shape normalized;
    double eps = 1e-5;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void run(const Attributes& attributes, const Tensor& out, Aux<LayerNorm>& stats, const Tensor& x,
                  const Tensor& weight, const Tensor& bias);
  static Gradients<3> gradient(const Saved<LayerNorm>& saved, const Tensor& gradient);
};

// x / sqrt(mean(x²) + eps) * weight; Zhang and Sennrich, "Root mean square layer normalization", 2019.
struct RmsNorm {
  static constexpr std::string_view name = "rms_norm";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  static constexpr int aux = 1;
  using Attributes = LayerNorm::Attributes;
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& weight);
  static void run(const Attributes& attributes, const Tensor& out, Aux<RmsNorm>& stats, const Tensor& x,
                  const Tensor& weight);
  static Gradients<2> gradient(const Saved<RmsNorm>& saved, const Tensor& gradient);
};

// x [n, c, d…] with the moments of each sample's groups of c / groups channels; weight, bias [c] or undefined. Wu
// and He, "Group normalization", 2018.
struct GroupNorm {
  static constexpr std::string_view name = "group_norm";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b011;
  static constexpr int aux = 1;
  struct Attributes {
    std::int64_t groups = 1;
    double eps = 1e-5;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void run(const Attributes& attributes, const Tensor& out, Aux<GroupNorm>& stats, const Tensor& x,
                  const Tensor& weight, const Tensor& bias);
  static Gradients<3> gradient(const Saved<GroupNorm>& saved, const Tensor& gradient);
};

// x [n, c, d…] → [2, c]: the mean and the variance (divided by the count) of each channel.
struct BatchMoments {
  static constexpr std::string_view name = "batch_moments";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<BatchMoments>&, const Tensor& x);
};

// x [n, c, d…] with given moments [2, c]; weight, bias [c] or undefined. Ioffe and Szegedy, "Batch normalization",
// 2015.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr int arity = 4;  // x, weight, bias, moments
  static constexpr unsigned saved_inputs = 0b1011;
  struct Attributes {
    double eps = 1e-5;
    bool constant_moments = false;  // false: they are x's own, and its gradient goes through them, too
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Tensor& moments);
  static void run(const Attributes& attributes, const Tensor& out, Aux<BatchNorm>&, const Tensor& x,
                  const Tensor& weight, const Tensor& bias, const Tensor& moments);
  static Gradients<4> gradient(const Saved<BatchNorm>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// PyTorch's functions of these names. Shapes stand at the ops above; weight and bias may be undefined. float32 and
// float64; 16-bit floats are computed as float32 and come back; all of one type.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);
// Without eps: the distance from 1 to the next number of x's type.
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                std::optional<double> eps = {});
Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
// Each channel of each sample for itself: group_norm with as many groups as channels.
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);

// What batch_norm takes of a batch x; never recorded. float32 and float64.
Tensor batch_moments(const Tensor& x);
// By the moments of the batch, which must be batch_moments(x).
Tensor batch_norm(const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias,
                  double eps = 1e-5);
// By moments [2, c] that are not x's, as in evaluation: constants.
Tensor batch_norm_by(const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias,
                     double eps = 1e-5);

}  // namespace feral
