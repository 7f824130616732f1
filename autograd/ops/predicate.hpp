// Questions about elements: results are bool.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Of one operand of any type; of 16-bit floats as float32.
template <class Self, TestKernel kernel>
struct Test {
  static constexpr int arity = 1;
  static constexpr bool differentiable = false;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x);
  static void run(const Attributes&, const Tensor& out, Aux<Self>&, const Tensor& x) {
    kernels(out.device()).test(kernel, out, x);
  }
};

struct IsNan : Test<IsNan, TestKernel::isnan> {
  static constexpr std::string_view name = "isnan";
};
struct IsInf : Test<IsInf, TestKernel::isinf> {
  static constexpr std::string_view name = "isinf";
};
struct IsFinite : Test<IsFinite, TestKernel::isfinite> {
  static constexpr std::string_view name = "isfinite";
};
struct Signbit : Test<Signbit, TestKernel::signbit> {
  static constexpr std::string_view name = "signbit";
};

// |a - b| <= atol + |rtol * b|, or equal; two operands of one type, broadcast.
struct IsClose {
  static constexpr std::string_view name = "isclose";
  static constexpr int arity = 2;
  static constexpr bool differentiable = false;
  struct Attributes {
    double rtol = 1e-5;
    double atol = 1e-8;
    bool equal_nan = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& a, const Tensor& b);
  static void run(const Attributes& attributes, const Tensor& out, Aux<IsClose>&, const Tensor& a, const Tensor& b);
};

}  // namespace feral::ops
