// Variances, norms and log-sum-exp, of float32 and float64.
#pragma once

#include "autograd/op.hpp"
#include "autograd/ops/reduction.hpp"

namespace feral::ops {

struct VarAttributes {
  Reduction reduction;
  double correction = 1;
};

// The squared distance from the mean divided by max(0, count - correction).
struct Var {
  static constexpr std::string_view name = "var";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  using Attributes = VarAttributes;
  static Result infer(const VarAttributes& attributes, const Tensor& x);
  static void run(const VarAttributes& attributes, const Tensor& out, Aux<Var>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Var>& saved, const Tensor& gradient);
};

// Its root; flat where it is 0, as in PyTorch.
struct Std {
  static constexpr std::string_view name = "std";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  using Attributes = VarAttributes;
  static Result infer(const VarAttributes& attributes, const Tensor& x);
  static void run(const VarAttributes& attributes, const Tensor& out, Aux<Std>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Std>& saved, const Tensor& gradient);
};

// sum(|x|^p)^(1/p); p infinite: the largest (-inf: smallest) |x|; p = 0: the number of elements other than 0. Flat
// where it is 0.
struct Norm {
  static constexpr std::string_view name = "norm";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  struct Attributes {
    Reduction reduction;
    double p = 2;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Norm>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Norm>& saved, const Tensor& gradient);
};

struct Logsumexp {
  static constexpr std::string_view name = "logsumexp";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  using Attributes = Reduction;
  static Result infer(const Reduction& attributes, const Tensor& x);
  static void run(const Reduction& attributes, const Tensor& out, Aux<Logsumexp>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Logsumexp>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
