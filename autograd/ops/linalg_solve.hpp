// Ops that solve systems of equations and take determinants; autograd/ops/linalg.hpp says what they compute.
//
// Gradients: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
// 2008; of the pseudo-inverse: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least
// squares problems whose variables separate", 1973.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// a [..., n, n], b [..., n, r] of one batch → [..., n, r]
struct Solve {
  static constexpr std::string_view name = "solve";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b01;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Solve>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Solve>& saved, const Tensor& gradient);
};

struct Inv {
  static constexpr std::string_view name = "inv";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Inv>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Inv>& saved, const Tensor& gradient);
};

// [..., n, n] → [...]
struct Det {
  static constexpr std::string_view name = "det";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Det>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Det>& saved, const Tensor& gradient);
};

// [..., n, n] → [..., n, n]: the determinant's gradient, det(a) × a⁻ᵀ, of singular matrices, too.
struct Cofactors {
  static constexpr std::string_view name = "cofactors";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Cofactors>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Cofactors>& saved, const Tensor& gradient);
};

// [..., n, n] → all signs, then all logarithms, in one vector.
struct Slogdet {
  static constexpr std::string_view name = "slogdet";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Slogdet>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Slogdet>& saved, const Tensor& gradient);
};

// a [..., m, n], b [..., m, r] of one batch → [..., n, r]
struct Lstsq {
  static constexpr std::string_view name = "lstsq";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Lstsq>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Lstsq>& saved, const Tensor& gradient);
};

// [..., m, n] → [..., n, m]
struct Pinv {
  static constexpr std::string_view name = "pinv";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Pinv>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Pinv>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
