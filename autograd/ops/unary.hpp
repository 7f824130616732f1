// Elementwise functions of one operand.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// What they share: Self names its kernel, what it saves, and its derivative; the gradient is gradient * derivative.
template <class Self, UnaryKernel kernel>
struct Unary {
  static constexpr int arity = 1;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Self>&, const Tensor& x) {
    kernels(out.device()).unary(kernel, out, x);
  }
  static Gradients<1> gradient(const Saved<Self>& saved, const Tensor& gradient) {
    return {gradient.mul(Self::derivative(saved))};
  }
};

// float32 and float64; throws feral::Error naming `op` for others.
Result unary_result(std::string_view op, const Tensor& x);

template <class Self, UnaryKernel kernel>
Result Unary<Self, kernel>::infer(const Attributes&, const Tensor& x) {
  return unary_result(Self::name, x);
}

// A function whose derivative is written in its result, or in its argument.
#define FERAL_UNARY_OF_OUTPUT(Op, op)                 \
  struct Op : Unary<Op, UnaryKernel::op> {            \
    static constexpr std::string_view name = #op;     \
    static constexpr bool saves_output = true;        \
    static Tensor derivative(const Saved<Op>& saved); \
  };
#define FERAL_UNARY_OF_INPUT(Op, op)                  \
  struct Op : Unary<Op, UnaryKernel::op> {            \
    static constexpr std::string_view name = #op;     \
    static constexpr unsigned saved_inputs = 0b1;     \
    static Tensor derivative(const Saved<Op>& saved); \
  };
// A step function: its derivative is 0 wherever it has one.
#define FERAL_UNARY_STEP(Op, op)                                                   \
  struct Op : Unary<Op, UnaryKernel::op> {                                         \
    static constexpr std::string_view name = #op;                                  \
    static Gradients<1> gradient(const Saved<Op>& saved, const Tensor& gradient) { \
      return {Tensor::zeros(saved.input_shape(0), gradient.dtype())};              \
    }                                                                              \
  };

FERAL_UNARY_OF_OUTPUT(Exp, exp)
FERAL_UNARY_OF_OUTPUT(Exp2, exp2)
FERAL_UNARY_OF_OUTPUT(Expm1, expm1)
FERAL_UNARY_OF_INPUT(Log, log)
FERAL_UNARY_OF_INPUT(Log2, log2)
FERAL_UNARY_OF_INPUT(Log10, log10)
FERAL_UNARY_OF_INPUT(Log1p, log1p)
FERAL_UNARY_OF_OUTPUT(Sqrt, sqrt)
FERAL_UNARY_OF_OUTPUT(Rsqrt, rsqrt)
FERAL_UNARY_OF_OUTPUT(Reciprocal, reciprocal)
FERAL_UNARY_OF_INPUT(Square, square)
FERAL_UNARY_OF_INPUT(Abs, abs)
FERAL_UNARY_OF_INPUT(Sin, sin)
FERAL_UNARY_OF_INPUT(Cos, cos)
FERAL_UNARY_OF_OUTPUT(Tan, tan)
FERAL_UNARY_OF_INPUT(Asin, asin)
FERAL_UNARY_OF_INPUT(Acos, acos)
FERAL_UNARY_OF_INPUT(Atan, atan)
FERAL_UNARY_OF_INPUT(Sinh, sinh)
FERAL_UNARY_OF_INPUT(Cosh, cosh)
FERAL_UNARY_OF_OUTPUT(Tanh, tanh)
FERAL_UNARY_OF_INPUT(Asinh, asinh)
FERAL_UNARY_OF_INPUT(Acosh, acosh)
FERAL_UNARY_OF_INPUT(Atanh, atanh)
FERAL_UNARY_OF_OUTPUT(Sigmoid, sigmoid)
FERAL_UNARY_OF_INPUT(Softplus, softplus)
FERAL_UNARY_OF_INPUT(Erf, erf)
FERAL_UNARY_OF_INPUT(Erfc, erfc)
FERAL_UNARY_STEP(Sign, sign)
FERAL_UNARY_STEP(Floor, floor)
FERAL_UNARY_STEP(Ceil, ceil)
FERAL_UNARY_STEP(Trunc, trunc)
FERAL_UNARY_STEP(Round, round)

#undef FERAL_UNARY_OF_OUTPUT
#undef FERAL_UNARY_OF_INPUT
#undef FERAL_UNARY_STEP

// max(x, 0); at 0 the gradient is 0, as in PyTorch.
struct Relu : Unary<Relu, UnaryKernel::relu> {
  static constexpr std::string_view name = "relu";
  static constexpr bool saves_output = true;
  static Gradients<1> gradient(const Saved<Relu>& saved, const Tensor& gradient);
};

// The gradient where relu's output was above zero, 0 elsewhere. Both have one shape.
struct ReluBackward {
  static constexpr std::string_view name = "relu_backward";
  static constexpr int arity = 2;  // gradient, output of relu
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& gradient, const Tensor& output);
  static void run(const Attributes&, const Tensor& out, Aux<ReluBackward>&, const Tensor& gradient,
                  const Tensor& output);
  static Gradients<2> gradient(const Saved<ReluBackward>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
