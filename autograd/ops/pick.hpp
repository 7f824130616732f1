// Elements along one dimension by position: how ops that find positions come to differentiable values. The
// positions are right by construction, and are not checked.
#pragma once

#include "autograd/op.hpp"

namespace feral::ops {

// out[i, j, k] = x[i, positions[i, j, k], k] for dim 1. positions: int64, of x's shape but for dim.
struct Pick {
  static constexpr std::string_view name = "pick";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Pick>&, const Tensor& x,
                  const Tensor& positions);
  static Gradients<2> gradient(const Saved<Pick>& saved, const Tensor& gradient);
};

// Zeros of `shape` with x's elements added at the positions.
struct PickBackward {
  static constexpr std::string_view name = "pick_backward";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    int dim = 0;
    Shape shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& x, const Tensor& positions);
  static void run(const Attributes& attributes, const Tensor& out, Aux<PickBackward>&, const Tensor& x,
                  const Tensor& positions);
  static Gradients<2> gradient(const Saved<PickBackward>& saved, const Tensor& gradient);
};

inline Tensor pick(const Tensor& x, int dim, const Tensor& positions) {
  return apply<Pick>({.dim = dim}, x, positions);
}

}  // namespace feral::ops
