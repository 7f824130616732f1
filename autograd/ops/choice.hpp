// Comparing, and choosing by the result.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Two operands of one type, broadcast; the result is bool.
template <class Self, CompareKernel kernel>
struct Compare {
  static constexpr int arity = 2;
  static constexpr bool differentiable = false;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Self>&, const Tensor& a, const Tensor& b) {
    kernels(out.device()).compare(kernel, out, a, b);
  }
};

struct Equal : Compare<Equal, CompareKernel::equal> {
  static constexpr std::string_view name = "eq";
};
struct NotEqual : Compare<NotEqual, CompareKernel::not_equal> {
  static constexpr std::string_view name = "ne";
};
struct Less : Compare<Less, CompareKernel::less> {
  static constexpr std::string_view name = "lt";
};
struct LessEqual : Compare<LessEqual, CompareKernel::less_equal> {
  static constexpr std::string_view name = "le";
};

// condition ? a : b, all broadcast; condition bool, a and b of one type.
struct Where {
  static constexpr std::string_view name = "where";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b001;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& condition, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Where>&, const Tensor& condition, const Tensor& a,
                  const Tensor& b);
  static Gradients<3> gradient(const Saved<Where>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// condition ? a : b element by element, all three broadcast, a and b promoted; condition is bool.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace feral
