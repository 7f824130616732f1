// Elementwise functions of two operands of one type, broadcast; Tensor's methods promote before they call these.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

// float32 and float64 alone, or integers and bool, too; throws feral::Error naming `op`.
Result binary_float_result(std::string_view op, const Tensor& a, const Tensor& b);
Result binary_any_result(std::string_view op, const Tensor& a, const Tensor& b);
// Numbers, not bool; and no integer divisor may be 0.
Result binary_number_result(std::string_view op, const Tensor& a, const Tensor& b);
Result binary_division_result(std::string_view op, const Tensor& a, const Tensor& b);

// What they share: Self names its kernel and has the partial derivatives by a and by b, which the chain rule
// multiplies with the gradient and sums over what was broadcast.
template <class Self, BinaryKernel kernel>
struct Binary {
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b11;
  static constexpr auto result = binary_float_result;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b) {
    return Self::result(Self::name, a, b);
  }
  static void run(const Attributes&, const Tensor& out, Aux<Self>&, const Tensor& a, const Tensor& b) {
    kernels(out.device()).binary(kernel, out, a, b);
  }
  static Gradients<2> gradient(const Saved<Self>& saved, const Tensor& gradient) {
    Gradients<2> result;
    const Tensor& a = saved.input(0);
    const Tensor& b = saved.input(1);
    if (saved.needs(0)) result[0] = gradient.mul(Self::by_first(saved, a, b)).sum_to(saved.input_shape(0));
    if (saved.needs(1)) result[1] = gradient.mul(Self::by_second(saved, a, b)).sum_to(saved.input_shape(1));
    return result;
  }
};

#define FERAL_BINARY(Op, op, ...)                                                                 \
  struct Op : Binary<Op, BinaryKernel::op> {                                                      \
    static constexpr std::string_view name = #op;                                                 \
    __VA_ARGS__ static Tensor by_first(const Saved<Op>& saved, const Tensor& a, const Tensor& b); \
    static Tensor by_second(const Saved<Op>& saved, const Tensor& a, const Tensor& b);            \
  };

// The gradient goes to the larger (smaller) one, half to each where they are equal.
FERAL_BINARY(Maximum, maximum, static constexpr auto result = binary_any_result;)
FERAL_BINARY(Minimum, minimum, static constexpr auto result = binary_any_result;)
FERAL_BINARY(Pow, pow, static constexpr auto result = binary_number_result;
             static constexpr bool saves_output = true;)
FERAL_BINARY(Atan2, atan2, )
FERAL_BINARY(Hypot, hypot, static constexpr bool saves_output = true;)
FERAL_BINARY(Fmod, fmod, static constexpr auto result = binary_division_result;)
FERAL_BINARY(Remainder, remainder, static constexpr auto result = binary_division_result;)
FERAL_BINARY(Logaddexp, logaddexp, static constexpr bool saves_output = true;)
FERAL_BINARY(Logaddexp2, logaddexp2, static constexpr bool saves_output = true;)
FERAL_BINARY(Xlogy, xlogy, )
FERAL_BINARY(Copysign, copysign, static constexpr bool saves_output = true;)

#undef FERAL_BINARY

// Without a derivative.
template <class Self, BinaryKernel kernel>
struct BinaryStep {
  static constexpr int arity = 2;
  static constexpr bool differentiable = false;
  struct Attributes {};
  static Result infer(const Attributes&, const Tensor& a, const Tensor& b) {
    return Self::result(Self::name, a, b);
  }
  static void run(const Attributes&, const Tensor& out, Aux<Self>&, const Tensor& a, const Tensor& b) {
    kernels(out.device()).binary(kernel, out, a, b);
  }
};

struct Nextafter : BinaryStep<Nextafter, BinaryKernel::nextafter> {
  static constexpr std::string_view name = "nextafter";
  static constexpr auto result = binary_float_result;
};
struct FloorDivide : BinaryStep<FloorDivide, BinaryKernel::floor_divide> {
  static constexpr std::string_view name = "floor_divide";
  static constexpr auto result = binary_division_result;
};

}  // namespace feral::ops
