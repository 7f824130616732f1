// Cross entropy of probabilities of two classes.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// -(t log x + (1 - t) log(1 - x)) element by element, x in [0, 1], both of one shape; as in PyTorch logarithms are
// at least -100, and the gradient (x - t) / (x (1 - x)) has a divisor of at least 1e-12.
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "binary_cross_entropy";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x, const Tensor& target);
  static void run(const Attributes&, const Tensor& out, Aux<BinaryCrossEntropy>&, const Tensor& x,
                  const Tensor& target);
  static Gradients<2> gradient(const Saved<BinaryCrossEntropy>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
