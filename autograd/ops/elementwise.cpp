#include "autograd/ops/elementwise.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {
namespace {

Result same_result(std::string_view op, const Tensor& x) {
  check_floating(op, x);
  return {x.shape(), x.dtype(), x.device()};
}

}  // namespace

// a + b

Result Add::infer(const Attributes&, const Tensor& a, const Tensor& b) { return arithmetic_result(name, a, b); }

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

Result Sub::infer(const Attributes&, const Tensor& a, const Tensor& b) { return arithmetic_result(name, a, b); }

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

Result Mul::infer(const Attributes&, const Tensor& a, const Tensor& b) { return arithmetic_result(name, a, b); }

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

Result Div::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  check_floating(name, a);
  return arithmetic_result(name, a, b);
}

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
  return {gradient.affine(saved.attributes().scale, -0.0)};
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
namespace {

// What changes nothing when it is added: 0.0 would make 0 of -0.
constexpr double no_shift = -0.0;

}  // namespace

Tensor Tensor::add(const Tensor& other) const { return ops::apply_promoted<ops::Add>(*this, other); }
Tensor Tensor::mul(const Tensor& other) const { return ops::apply_promoted<ops::Mul>(*this, other); }
Tensor Tensor::div(const Tensor& other) const { return ops::apply_promoted_float<ops::Div>(*this, other); }
Tensor Tensor::sub(const Tensor& other) const {
  ops::check_defined("sub", *this);
  ops::check_defined("sub", other);
  if (dtype() == DType::boolean && other.dtype() == DType::boolean) {
    fail("sub: bool has no difference; use ne() for exclusive or, or convert with to()");
  }
  return ops::apply_promoted<ops::Sub>(*this, other);
}

Tensor Tensor::affine(double scale, double shift) const {
  return apply<ops::Affine>({.scale = scale, .shift = shift}, *this);
}

Tensor Tensor::neg() const {
  ops::check_defined("neg", *this);
  if (dtype() == DType::boolean) fail("neg: bool has no negative; use logical_not(), or convert with to()");
  if (dtype() == DType::boolean) fail("neg: bool has no negative; use logical_not(), or convert with to()");
  if (has_gradient(dtype())) return affine(-1, no_shift);
  return is_half(dtype()) ? to(DType::float32).neg().to(dtype()) : zeros({}, dtype()).sub(*this);
}

Tensor Tensor::as_operand(const Scalar& scalar) const {
  ops::check_defined("arithmetic", *this);
  // A number takes the tensor's type on, unless the tensor's kind cannot hold it.
  DType type = dtype();
  if (scalar.floating && !is_floating(type)) type = DType::float32;
  if (!scalar.floating && !scalar.boolean && type == DType::boolean) type = DType::int64;
  const Tensor operand = empty({}, type);
  kernels(device()).fill(operand, scalar);
  return operand;
}

Tensor Tensor::add(Scalar other) const {
  return defined() && has_gradient(dtype()) ? affine(1, other.value) : add(as_operand(other));
}
Tensor Tensor::sub(Scalar other) const {
  return defined() && has_gradient(dtype()) ? affine(1, -other.value) : sub(as_operand(other));
}
Tensor Tensor::rsub(Scalar other) const {
  return defined() && has_gradient(dtype()) ? affine(-1, other.value) : as_operand(other).sub(*this);
}
Tensor Tensor::mul(Scalar other) const {
  return defined() && has_gradient(dtype()) ? affine(other.value, no_shift) : mul(as_operand(other));
}
Tensor Tensor::div(Scalar other) const { return div(as_operand(other)); }
Tensor Tensor::rdiv(Scalar other) const { return as_operand(other).div(*this); }

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
