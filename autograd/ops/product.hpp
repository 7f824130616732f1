// Matrix products.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// Shape and type of a [..., m, k] × b [..., k, n], the dimensions before the last two broadcast: one type of
// float32, float64 or an integer other than bool. Throws feral::Error naming `op`.
Result product_result(std::string_view op, const Tensor& a, const Tensor& b);

// [m, k] × [k, n] → [m, n]
struct Matmul {
  static constexpr std::string_view name = "matmul";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Matmul>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Matmul>& saved, const Tensor& gradient);
};

// [..., m, k] × [..., k, n] → [..., m, n], the dimensions before the last two broadcast.
struct Bmm {
  static constexpr std::string_view name = "bmm";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b);
  static void run(const Attributes&, const Tensor& out, Aux<Bmm>&, const Tensor& a, const Tensor& b);
  static Gradients<2> gradient(const Saved<Bmm>& saved, const Tensor& gradient);
};

// x [n, in], weight [out, in], bias [out] or undefined → x × weightᵀ + bias [n, out]
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr int arity = 3;
  static constexpr unsigned saved_inputs = 0b011;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& x, const Tensor& weight, const Tensor& bias);
  static void run(const Attributes&, const Tensor& out, Aux<Linear>&, const Tensor& x, const Tensor& weight,
                  const Tensor& bias);
  static Gradients<3> gradient(const Saved<Linear>& saved, const Tensor& gradient);
};

}  // namespace feral::ops

namespace feral {

// x [..., in] × weightᵀ [in, out] + bias [out] → [..., out], of one floating type; `bias` may be undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace feral
