// Elementwise arithmetic and copies.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Two operands of one type, broadcast: float32, float64, integers, bool (not sub); div only floats. Tensor's
// methods promote before they call these.
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr int arity = 2;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Add>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Add>& saved, const Tensor& gradient);
};

struct Sub {
  static constexpr std::string_view name = "sub";
  static constexpr int arity = 2;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Sub>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Sub>& saved, const Tensor& gradient);
};

struct Mul {
  static constexpr std::string_view name = "mul";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Mul>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Mul>& saved, const Tensor& gradient);
};

struct Div {
  static constexpr std::string_view name = "div";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Div>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Div>& saved, const Tensor& gradient);
};

// scale * x + shift with plain numbers.
struct Affine {
  static constexpr std::string_view name = "affine";
  static constexpr int arity = 1;
  struct Attributes {
    double scale = 1;
    double shift = 0;
  };
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Affine>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Affine>& saved, const Tensor& gradient);
};

// Contiguous copy.
struct Clone {
  static constexpr std::string_view name = "clone";
  static constexpr int arity = 1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Clone>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Clone>& saved, const Tensor& gradient);
};

// Conversion between floating types is differentiable; to or from integers nothing flows (`to` handles it).
struct Convert {
  static constexpr std::string_view name = "to";
  static constexpr int arity = 1;
  struct Attributes {
    DType from = DType::float32;
    DType to = DType::float32;
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Convert>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Convert>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
