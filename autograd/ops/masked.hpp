// Where elements are not 0, and what a mask chooses.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// The coordinates of the elements that are not 0, in row-major order: int64 [count, dims]; or, `flat`, their
// positions in that order: int64 [count].
struct Nonzero {
  static constexpr std::string_view name = "nonzero";
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {
    bool flat = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Nonzero>&, const Tensor& x);
};

}  // namespace feral::ops
