// Activations: elementwise functions of one operand, some with plain numbers.
#pragma once

#include "autograd/ops/unary.hpp"

namespace feral::ops {

#define FERAL_ACTIVATION(Op, op)                      \
  struct Op : Unary<Op, UnaryKernel::op> {            \
    static constexpr std::string_view name = #op;     \
    static constexpr unsigned saved_inputs = 0b1;     \
    static Tensor derivative(const Saved<Op>& saved); \
  };

FERAL_ACTIVATION(Gelu, gelu)
FERAL_ACTIVATION(GeluSlope, gelu_slope)  // the derivative of gelu, and so on
FERAL_ACTIVATION(GeluTanh, gelu_tanh)
FERAL_ACTIVATION(GeluTanhSlope, gelu_tanh_slope)
FERAL_ACTIVATION(Silu, silu)
FERAL_ACTIVATION(SiluSlope, silu_slope)
FERAL_ACTIVATION(Mish, mish)
FERAL_ACTIVATION(Logsigmoid, logsigmoid)

#undef FERAL_ACTIVATION

// x above 0, alpha (e^x - 1) below.
struct Elu {
  static constexpr std::string_view name = "elu";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  static constexpr bool saves_output = true;
  struct Attributes {
    double alpha = 1;
  };
  static Result infer(const Attributes&, const Tensor& x) { return unary_result(name, x); }
  static void run(const Attributes& attributes, const Tensor& out, Aux<Elu>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Elu>& saved, const Tensor& gradient);
};

// x above 0, slope * x below.
struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {
    double slope = 0.01;
  };
  static Result infer(const Attributes&, const Tensor& x) { return unary_result(name, x); }
  static void run(const Attributes& attributes, const Tensor& out, Aux<LeakyRelu>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<LeakyRelu>& saved, const Tensor& gradient);
};

// min(max(x, low), high). The gradient passes strictly between the bounds, and at them when with_bounds.
struct Clamp {
  static constexpr std::string_view name = "clamp";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {
    double low = 0;
    double high = 0;
    bool with_bounds = true;
  };
  static Result infer(const Attributes&, const Tensor& x) { return unary_result(name, x); }
  static void run(const Attributes& attributes, const Tensor& out, Aux<Clamp>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<Clamp>& saved, const Tensor& gradient);
};

// Numbers in the place of NaN, ∞ and -∞, through which no gradient passes.
struct NanToNum {
  static constexpr std::string_view name = "nan_to_num";
  static constexpr int arity = 1;
  static constexpr unsigned saved_inputs = 0b1;
  struct Attributes {
    double nan = 0;
    double positive_infinity = 0;
    double negative_infinity = 0;
  };
  static Result infer(const Attributes&, const Tensor& x) { return unary_result(name, x); }
  static void run(const Attributes& attributes, const Tensor& out, Aux<NanToNum>&, const Tensor& x);
  static Gradients<1> gradient(const Saved<NanToNum>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
