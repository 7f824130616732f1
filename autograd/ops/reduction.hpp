// Sums and their like.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Sums over every dimension along which `shape` would have to be broadcast to give x's shape.
struct SumTo {
  static constexpr std::string_view name = "sum_to";
  static constexpr int arity = 1;
  struct Attributes {
    Shape shape;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<SumTo>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<SumTo>& saved, const Tensor& gradient);
};

struct Argmax {
  static constexpr std::string_view name = "argmax";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    int dim = 0;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Argmax>&, const Tensor& x);
};

}  // namespace feral::ops
