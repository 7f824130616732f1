// Ops that decompose matrices; autograd/ops/linalg.hpp says what they compute.
//
// Gradients: of cholesky and qr: Seeger, Hetzel, Dai, Meissner and Lawrence, "Auto-differentiating linear algebra",
// 2017; of svd: Townsend, "Differentiating the singular value decomposition", 2016; of eigh: Giles, "Collected
// matrix derivative results for forward and reverse mode algorithmic differentiation", 2008.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

struct Cholesky {
  static constexpr std::string_view name = "cholesky";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Cholesky>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Cholesky>& saved, const Tensor& gradient);
};

// The ops below pack their results, one behind the other, into one vector.

// [..., m, n] → all q, all r
struct Qr {
  static constexpr std::string_view name = "qr";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Qr>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Qr>& saved, const Tensor& gradient);
};

// [..., m, n] → all u, all s, all vh
struct Svd {
  static constexpr std::string_view name = "svd";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Svd>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Svd>& saved, const Tensor& gradient);
};

// [..., n, n] → all eigenvalues, all eigenvectors
struct Eigh {
  static constexpr std::string_view name = "eigh";
  static constexpr int arity = 1;
  static constexpr bool saves_output = true;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a);
  static void run(const Attributes&, const Tensor& out, Aux<Eigh>&, const Tensor& a);
  static Gradients<1> gradient(const Saved<Eigh>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
