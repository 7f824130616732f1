// Special functions of one operand.
#pragma once

#include "autograd/ops/unary.hpp"

namespace feral::ops {

#define FERAL_SPECIAL(Op, op, saved)                 \
  struct Op : Unary<Op, UnaryKernel::op> {           \
    static constexpr std::string_view name = #op;    \
    static constexpr saved;                          \
    static Tensor derivative(const Saved<Op>& node); \
  };

FERAL_SPECIAL(Erfinv, erfinv, bool saves_output = true)
FERAL_SPECIAL(Lgamma, lgamma, unsigned saved_inputs = 0b1)
FERAL_SPECIAL(Digamma, digamma, unsigned saved_inputs = 0b1)
FERAL_SPECIAL(Logit, logit, unsigned saved_inputs = 0b1)
FERAL_SPECIAL(Sinc, sinc, unsigned saved_inputs = 0b1)

#undef FERAL_SPECIAL

// The order-th derivative of digamma.
struct Polygamma {
  static constexpr std::string_view name = "polygamma";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {
    int order = 1;  // from 1 on
  };
  static Result infer(const Attributes& attributes, const Tensor& x);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Polygamma>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Polygamma>& saved, const Tensor& gradient);
};

// x - trunc(x), whose slope is 1 between the steps.
struct Frac : Unary<Frac, UnaryKernel::frac> {
  static constexpr std::string_view name = "frac";
  static Gradients<1> gradient(const Saved<Frac>&, const Tensor& gradient) { return {gradient}; }
};

}  // namespace feral::ops
