#include "autograd/ops/elementwise.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

Result broadcast_result(std::string_view op, const Tensor& a, const Tensor& b) {
  check_floating(op, a);
  check_same_dtype(op, a, b);
  return {broadcast_shapes(op, a.shape(), b.shape()), a.dtype(), a.device()};
}

Result same_result(std::string_view op, const Tensor& x) {
  check_floating(op, x);
  return {x.shape(), x.dtype(), x.device()};
}

}  // namespace

// a + b

Result Add::infer(const Attributes&, const Tensor& a, const Tensor& b) { return broadcast_result(name, a, b); }

void Add::run(const Attributes&, const Tensor& out, Aux<Add>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).binary(BinaryKernel::add, out, a, b);
}

Gradients<2> Add::gradient(const Saved<Add>& saved, const Tensor& gradient) {
  Gradients<2> result;
  for (int i = 0; i < 2; ++i) {
    if (saved.needs(i)) result[i] = gradient.sum_to(saved.input_shape(i));
  }
  return result;
}

// a - b

Result Sub::infer(const Attributes&, const Tensor& a, const Tensor& b) { return broadcast_result(name, a, b); }

void Sub::run(const Attributes&, const Tensor& out, Aux<Sub>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).binary(BinaryKernel::sub, out, a, b);
}

Gradients<2> Sub::gradient(const Saved<Sub>& saved, const Tensor& gradient) {
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient.sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = gradient.sum_to(saved.input_shape(1)).neg();
  return result;
}

// a * b

Result Mul::infer(const Attributes&, const Tensor& a, const Tensor& b) { return broadcast_result(name, a, b); }

void Mul::run(const Attributes&, const Tensor& out, Aux<Mul>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).binary(BinaryKernel::mul, out, a, b);
}

Gradients<2> Mul::gradient(const Saved<Mul>& saved, const Tensor& gradient) {
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient.mul(saved.input(1)).sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = gradient.mul(saved.input(0)).sum_to(saved.input_shape(1));
  return result;
}

// a / b

Result Div::infer(const Attributes&, const Tensor& a, const Tensor& b) { return broadcast_result(name, a, b); }

void Div::run(const Attributes&, const Tensor& out, Aux<Div>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).binary(BinaryKernel::div, out, a, b);
}

Gradients<2> Div::gradient(const Saved<Div>& saved, const Tensor& gradient) {
  const Tensor& a = saved.input(0);
  const Tensor& b = saved.input(1);
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient.div(b).sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = gradient.mul(a).div(b.mul(b)).neg().sum_to(saved.input_shape(1));
  return result;
}

// scale * x + shift

Result Affine::infer(const Attributes&, const Tensor& x) { return same_result(name, x); }

void Affine::run(const Attributes& attributes, const Tensor& out, Aux<Affine>&, const Tensor& x) {
  kernels(out.device()).affine(out, x, attributes.scale, attributes.shift);
}

Gradients<1> Affine::gradient(const Saved<Affine>& saved, const Tensor& gradient) {
  return {gradient.affine(saved.attributes().scale, 0)};
}

// e^x

Result Exp::infer(const Attributes&, const Tensor& x) { return same_result(name, x); }

void Exp::run(const Attributes&, const Tensor& out, Aux<Exp>&, const Tensor& x) {
  kernels(out.device()).unary(UnaryKernel::exp, out, x);
}

Gradients<1> Exp::gradient(const Saved<Exp>& saved, const Tensor& gradient) {
  return {gradient.mul(saved.output())};
}

// natural logarithm

Result Log::infer(const Attributes&, const Tensor& x) { return same_result(name, x); }

void Log::run(const Attributes&, const Tensor& out, Aux<Log>&, const Tensor& x) {
  kernels(out.device()).unary(UnaryKernel::log, out, x);
}

Gradients<1> Log::gradient(const Saved<Log>& saved, const Tensor& gradient) {
  return {gradient.div(saved.input(0))};
}

// max(x, 0)

Result Relu::infer(const Attributes&, const Tensor& x) { return same_result(name, x); }

void Relu::run(const Attributes&, const Tensor& out, Aux<Relu>&, const Tensor& x) {
  kernels(out.device()).unary(UnaryKernel::relu, out, x);
}

Gradients<1> Relu::gradient(const Saved<Relu>& saved, const Tensor& gradient) {
  return {apply<ReluBackward>({}, gradient, saved.output())};
}

Result ReluBackward::infer(const Attributes&, const Tensor& gradient, const Tensor& output) {
  return broadcast_result(name, gradient, output);
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

// copies

Result Clone::infer(const Attributes&, const Tensor& x) {
  check_defined(name, x);
  return {x.shape(), x.dtype(), x.device()};
}

void Clone::run(const Attributes&, const Tensor& out, Aux<Clone>&, const Tensor& x) {
  kernels(out.device()).copy(out, x);
}

Gradients<1> Clone::gradient(const Saved<Clone>&, const Tensor& gradient) { return {gradient}; }

Result Convert::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  return {x.shape(), attributes.to, x.device()};
}

void Convert::run(const Attributes&, const Tensor& out, Aux<Convert>&, const Tensor& x) {
  kernels(out.device()).copy(out, x);
}

Gradients<1> Convert::gradient(const Saved<Convert>& saved, const Tensor& gradient) {
  return {gradient.to(saved.attributes().from)};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::add(const Tensor& other) const { return apply<ops::Add>({}, *this, other); }
Tensor Tensor::sub(const Tensor& other) const { return apply<ops::Sub>({}, *this, other); }
Tensor Tensor::mul(const Tensor& other) const { return apply<ops::Mul>({}, *this, other); }
Tensor Tensor::div(const Tensor& other) const { return apply<ops::Div>({}, *this, other); }
Tensor Tensor::affine(double scale, double shift) const {
  return apply<ops::Affine>({.scale = scale, .shift = shift}, *this);
}
Tensor Tensor::exp() const { return apply<ops::Exp>({}, *this); }
Tensor Tensor::log() const { return apply<ops::Log>({}, *this); }
Tensor Tensor::relu() const { return apply<ops::Relu>({}, *this); }
Tensor Tensor::clone() const { return apply<ops::Clone>({}, *this); }
Tensor Tensor::contiguous() const {
  ops::check_defined("contiguous", *this);
  return is_contiguous() ? *this : clone();
}

Tensor Tensor::to(DType target) const {
  ops::check_defined("to", *this);
  if (dtype() == target) return *this;
  const GradModeGuard mode(GradMode::enabled() && is_floating(dtype()) && is_floating(target));
  return apply<ops::Convert>({.from = dtype(), .to = target}, *this);
}

}  // namespace feral
