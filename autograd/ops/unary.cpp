#include "autograd/ops/unary.hpp"

#include <cmath>
#include <numbers>

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {
namespace {

constexpr double two_over_sqrt_pi = 2 * std::numbers::inv_sqrtpi;

// 1 - x², 1 + x²
Tensor one_minus_square(const Tensor& x) { return 1 - x.square(); }
Tensor one_plus_square(const Tensor& x) { return 1 + x.square(); }

}  // namespace

Result unary_result(std::string_view op, const Tensor& x) {
  check_floating(op, x);
  return {x.shape(), x.dtype(), x.device()};
}

Tensor Exp::derivative(const Saved<Exp>& saved) { return saved.output(); }
Tensor Exp2::derivative(const Saved<Exp2>& saved) { return saved.output() * std::numbers::ln2; }
Tensor Expm1::derivative(const Saved<Expm1>& saved) { return saved.output() + 1; }
Tensor Log::derivative(const Saved<Log>& saved) { return saved.input(0).reciprocal(); }
Tensor Log2::derivative(const Saved<Log2>& saved) { return saved.input(0).reciprocal() * std::numbers::log2e; }
Tensor Log10::derivative(const Saved<Log10>& saved) { return saved.input(0).reciprocal() * std::numbers::log10e; }
Tensor Log1p::derivative(const Saved<Log1p>& saved) { return (saved.input(0) + 1).reciprocal(); }
Tensor Sqrt::derivative(const Saved<Sqrt>& saved) { return saved.output().reciprocal() * 0.5; }
Tensor Rsqrt::derivative(const Saved<Rsqrt>& saved) {
  const Tensor y = saved.output();
  return y.square() * y * -0.5;
}
Tensor Reciprocal::derivative(const Saved<Reciprocal>& saved) { return saved.output().square().neg(); }
Tensor Square::derivative(const Saved<Square>& saved) { return saved.input(0) * 2; }
Tensor Abs::derivative(const Saved<Abs>& saved) { return saved.input(0).sign(); }
Tensor Sin::derivative(const Saved<Sin>& saved) { return saved.input(0).cos(); }
Tensor Cos::derivative(const Saved<Cos>& saved) { return saved.input(0).sin().neg(); }
Tensor Tan::derivative(const Saved<Tan>& saved) { return one_plus_square(saved.output()); }
Tensor Asin::derivative(const Saved<Asin>& saved) { return one_minus_square(saved.input(0)).rsqrt(); }
Tensor Acos::derivative(const Saved<Acos>& saved) { return one_minus_square(saved.input(0)).rsqrt().neg(); }
Tensor Atan::derivative(const Saved<Atan>& saved) { return one_plus_square(saved.input(0)).reciprocal(); }
Tensor Sinh::derivative(const Saved<Sinh>& saved) { return saved.input(0).cosh(); }
Tensor Cosh::derivative(const Saved<Cosh>& saved) { return saved.input(0).sinh(); }
Tensor Tanh::derivative(const Saved<Tanh>& saved) { return one_minus_square(saved.output()); }
Tensor Asinh::derivative(const Saved<Asinh>& saved) { return one_plus_square(saved.input(0)).rsqrt(); }
Tensor Acosh::derivative(const Saved<Acosh>& saved) { return (saved.input(0).square() - 1).rsqrt(); }
Tensor Atanh::derivative(const Saved<Atanh>& saved) { return one_minus_square(saved.input(0)).reciprocal(); }
Tensor Sigmoid::derivative(const Saved<Sigmoid>& saved) {
  const Tensor y = saved.output();
  return y * (1 - y);
}
Tensor Softplus::derivative(const Saved<Softplus>& saved) { return saved.input(0).sigmoid(); }
Tensor Erf::derivative(const Saved<Erf>& saved) { return saved.input(0).square().neg().exp() * two_over_sqrt_pi; }
Tensor Erfc::derivative(const Saved<Erfc>& saved) {
  return saved.input(0).square().neg().exp() * -two_over_sqrt_pi;
}

Gradients<1> Relu::gradient(const Saved<Relu>& saved, const Tensor& gradient) {
  return {apply<ReluBackward>({}, gradient, saved.output())};
}

Result ReluBackward::infer(const Attributes&, const Tensor& gradient, const Tensor& output) {
  check_floating(name, gradient);
  check_same_dtype(name, gradient, output);
  return {broadcast_shapes(name, gradient.shape(), output.shape()), gradient.dtype(), gradient.device()};
}

void ReluBackward::run(const Attributes&, const Tensor& out, Aux<ReluBackward>&, const Tensor& gradient,
                       const Tensor& output) {
  kernels(out.device()).binary(BinaryKernel::relu_backward, out, gradient, output);
}

Gradients<2> ReluBackward::gradient(const Saved<ReluBackward>& saved, const Tensor& gradient) {
  // Linear in the gradient; flat in the output wherever it has a derivative.
  if (!saved.needs(0)) return {};
  return {apply<ReluBackward>({}, gradient, saved.input(1)).sum_to(saved.input_shape(0)), Tensor()};
}

}  // namespace feral::ops

namespace feral {
namespace {

// For functions that leave an integer as it is.
template <class Op>
Tensor rounded(const Tensor& x) {
  ops::check_defined(Op::name, x);
  return is_floating(x.dtype()) ? ops::of_float<Op>(x) : x.clone();
}

}  // namespace

Tensor Tensor::exp() const { return ops::of_float<ops::Exp>(*this); }
Tensor Tensor::exp2() const { return ops::of_float<ops::Exp2>(*this); }
Tensor Tensor::expm1() const { return ops::of_float<ops::Expm1>(*this); }
Tensor Tensor::log() const { return ops::of_float<ops::Log>(*this); }
Tensor Tensor::log2() const { return ops::of_float<ops::Log2>(*this); }
Tensor Tensor::log10() const { return ops::of_float<ops::Log10>(*this); }
Tensor Tensor::log1p() const { return ops::of_float<ops::Log1p>(*this); }
Tensor Tensor::sqrt() const { return ops::of_float<ops::Sqrt>(*this); }
Tensor Tensor::rsqrt() const { return ops::of_float<ops::Rsqrt>(*this); }
Tensor Tensor::reciprocal() const { return ops::of_float<ops::Reciprocal>(*this); }
Tensor Tensor::sin() const { return ops::of_float<ops::Sin>(*this); }
Tensor Tensor::cos() const { return ops::of_float<ops::Cos>(*this); }
Tensor Tensor::tan() const { return ops::of_float<ops::Tan>(*this); }
Tensor Tensor::asin() const { return ops::of_float<ops::Asin>(*this); }
Tensor Tensor::acos() const { return ops::of_float<ops::Acos>(*this); }
Tensor Tensor::atan() const { return ops::of_float<ops::Atan>(*this); }
Tensor Tensor::sinh() const { return ops::of_float<ops::Sinh>(*this); }
Tensor Tensor::cosh() const { return ops::of_float<ops::Cosh>(*this); }
Tensor Tensor::tanh() const { return ops::of_float<ops::Tanh>(*this); }
Tensor Tensor::asinh() const { return ops::of_float<ops::Asinh>(*this); }
Tensor Tensor::acosh() const { return ops::of_float<ops::Acosh>(*this); }
Tensor Tensor::atanh() const { return ops::of_float<ops::Atanh>(*this); }
Tensor Tensor::sigmoid() const { return ops::of_float<ops::Sigmoid>(*this); }
Tensor Tensor::softplus() const { return ops::of_float<ops::Softplus>(*this); }
Tensor Tensor::erf() const { return ops::of_float<ops::Erf>(*this); }
Tensor Tensor::erfc() const { return ops::of_float<ops::Erfc>(*this); }
Tensor Tensor::floor() const { return rounded<ops::Floor>(*this); }
Tensor Tensor::ceil() const { return rounded<ops::Ceil>(*this); }
Tensor Tensor::trunc() const { return rounded<ops::Trunc>(*this); }
Tensor Tensor::round() const { return rounded<ops::Round>(*this); }
Tensor Tensor::relu() const {
  ops::check_defined("relu", *this);
  return is_floating(dtype()) ? ops::of_float<ops::Relu>(*this) : maximum(zeros({}, dtype()));
}
Tensor Tensor::square() const {
  ops::check_defined("square", *this);
  return is_floating(dtype()) ? ops::of_float<ops::Square>(*this) : mul(*this);
}
Tensor Tensor::abs() const {
  ops::check_defined("abs", *this);
  if (is_floating(dtype())) return ops::of_float<ops::Abs>(*this);
  if (dtype() == DType::uint8 || dtype() == DType::boolean) return clone();  // never below 0
  return maximum(zeros({}, dtype()).sub(*this));
}
Tensor Tensor::sign() const {
  ops::check_defined("sign", *this);
  if (is_floating(dtype())) return ops::of_float<ops::Sign>(*this);
  if (dtype() == DType::boolean) return clone();
  const Tensor zero = zeros({}, dtype());
  return gt(zero).to(dtype()).sub(lt(zero).to(dtype()));
}

}  // namespace feral
