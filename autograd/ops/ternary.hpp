// Elementwise functions of three operands of one floating type, broadcast.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// start + weight * (end - start).
struct Lerp {
  static constexpr std::string_view name = "lerp";
  static constexpr int arity = 3;  // start, end, weight
  static constexpr unsigned saved_inputs = 0b111;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& start, const Tensor& end, const Tensor& weight);
  static void run(const Attributes&, const Tensor& out, Aux<Lerp>&, const Tensor& start, const Tensor& end,
                  const Tensor& weight);
  static Gradients<3> gradient(const Saved<Lerp>& saved, const Tensor& gradient);
};

// x + value * a * b.
struct Addcmul {
  static constexpr std::string_view name = "addcmul";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b110;
  struct Attributes {
    double value = 1;
  };
  static Result infer(const Attributes&, const Tensor& x, const Tensor& a, const Tensor& b);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Addcmul>&, const Tensor& x, const Tensor& a,
                  const Tensor& b);
  static Gradients<3> gradient(const Saved<Addcmul>& saved, const Tensor& gradient);
};

// x + value * a / b.
struct Addcdiv {
  static constexpr std::string_view name = "addcdiv";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b110;
  struct Attributes {
    double value = 1;
  };
  static Result infer(const Attributes&, const Tensor& x, const Tensor& a, const Tensor& b);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Addcdiv>&, const Tensor& x, const Tensor& a,
                  const Tensor& b);
  static Gradients<3> gradient(const Saved<Addcdiv>& saved, const Tensor& gradient);
};

}  // namespace feral::ops
