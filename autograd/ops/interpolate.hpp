// Resizing of images.
#pragma once

#include <array>
#include <initializer_list>

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// x [n, c, d…] → [n, c, geometry.out…]
struct Interpolate {
  static constexpr std::string_view name = "interpolate";
  static constexpr int arity = 1;
  using Attributes = InterpolateGeometry;
  static Result infer(const Attributes& geometry, const Tensor& x);
  static void run(const Attributes& geometry, const Tensor& out, Aux<Interpolate>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Interpolate>& saved, const Tensor& gradient);
};

// gradient [n, c, geometry.out…] → x_shape
struct InterpolateBackward {
  static constexpr std::string_view name = "interpolate_backward";
  static constexpr int arity = 1;
  struct Attributes {
    InterpolateGeometry geometry;
    Shape x_shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& gradient);
  static void run(const Attributes& attributes, const Tensor& out, Aux<InterpolateBackward>&,
                  const Tensor& gradient);
  static Gradients<1> gradient(const Saved<InterpolateBackward>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// Output elements an input element: one number for all spatial dimensions, or one for each.
struct ScaleFactors {
  ScaleFactors() = default;
  ScaleFactors(double all) : values{all, all, all}, count(-1) {}
  ScaleFactors(std::initializer_list<double> each);  // throws feral::Error for more than three
  std::array<double, 3> values = {};
  int count = 0;  // 0: none; -1: one for all
};

// Either of size and scale.
struct InterpolateOptions {
  Shape size = {};          // a number for each spatial dimension
  ScaleFactors scale = {};  // the size is then size * scale rounded down
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;  // of linear: the corners' centres stay where they are, instead of the edges
};

// PyTorch's, of x [n, c, d…] with one to three spatial dimensions. `linear` is its linear, bilinear or trilinear.
// float32 and float64; 16-bit floats are computed as float32 and come back.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

}  // namespace feral
