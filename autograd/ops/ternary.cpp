#include "autograd/ops/ternary.hpp"

#include <cmath>

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {
namespace {

Result ternary_result(std::string_view op, const Tensor& a, const Tensor& b, const Tensor& c) {
  check_floating(op, a);
  check_same_dtype(op, a, b);
  check_same_dtype(op, a, c);
  return {broadcast_shapes(op, broadcast_shapes(op, a.shape(), b.shape()), c.shape()), a.dtype(), a.device()};
}

// Op on three operands in their common type, which must be floating.
template <class Op>
Tensor of_three(const Tensor& a, const Tensor& b, const Tensor& c, const typename Op::Attributes& attributes = {}) {
  check_defined(Op::name, a);
  check_defined(Op::name, b);
  check_defined(Op::name, c);
  const DType common = promote(promote(a.dtype(), b.dtype()), c.dtype());
  if (!is_floating(common)) {
    fail("{}: expected a floating type, got {}; convert with to()", Op::name, name_of(common));
  }
  const DType computed = is_half(common) ? DType::float32 : common;
  return apply<Op>(attributes, a.to(computed), b.to(computed), c.to(computed)).to(common);
}

}  // namespace

Result Lerp::infer(const Attributes&, const Tensor& start, const Tensor& end, const Tensor& weight) {
  return ternary_result(name, start, end, weight);
}
void Lerp::run(const Attributes&, const Tensor& out, Aux<Lerp>&, const Tensor& start, const Tensor& end,
               const Tensor& weight) {
  kernels(out.device()).ternary(TernaryKernel::lerp, out, start, end, weight, 1);
}
Gradients<3> Lerp::gradient(const Saved<Lerp>& saved, const Tensor& gradient) {
  const Tensor& weight = saved.input(2);
  Gradients<3> result;
  if (saved.needs(0)) result[0] = (gradient * (1 - weight)).sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = (gradient * weight).sum_to(saved.input_shape(1));
  if (saved.needs(2)) result[2] = (gradient * (saved.input(1) - saved.input(0))).sum_to(saved.input_shape(2));
  return result;
}

Result Addcmul::infer(const Attributes&, const Tensor& x, const Tensor& a, const Tensor& b) {
  return ternary_result(name, x, a, b);
}
void Addcmul::run(const Attributes& attributes, const Tensor& out, Aux<Addcmul>&, const Tensor& x, const Tensor& a,
                  const Tensor& b) {
  kernels(out.device()).ternary(TernaryKernel::addcmul, out, x, a, b, attributes.value);
}
Gradients<3> Addcmul::gradient(const Saved<Addcmul>& saved, const Tensor& gradient) {
  const double value = saved.attributes().value;
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient.sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = (gradient * saved.input(2) * value).sum_to(saved.input_shape(1));
  if (saved.needs(2)) result[2] = (gradient * saved.input(1) * value).sum_to(saved.input_shape(2));
  return result;
}

Result Addcdiv::infer(const Attributes&, const Tensor& x, const Tensor& a, const Tensor& b) {
  return ternary_result(name, x, a, b);
}
void Addcdiv::run(const Attributes& attributes, const Tensor& out, Aux<Addcdiv>&, const Tensor& x, const Tensor& a,
                  const Tensor& b) {
  kernels(out.device()).ternary(TernaryKernel::addcdiv, out, x, a, b, attributes.value);
}
Gradients<3> Addcdiv::gradient(const Saved<Addcdiv>& saved, const Tensor& gradient) {
  const double value = saved.attributes().value;
  const Tensor& a = saved.input(1);
  const Tensor& b = saved.input(2);
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient.sum_to(saved.input_shape(0));
  if (saved.needs(1)) result[1] = (gradient / b * value).sum_to(saved.input_shape(1));
  if (saved.needs(2)) result[2] = (gradient * a / b.square() * -value).sum_to(saved.input_shape(2));
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const {
  return ops::of_three<ops::Lerp>(*this, end, weight);
}
Tensor Tensor::lerp(const Tensor& end, Scalar weight) const {
  ops::check_defined("lerp", *this);
  ops::check_defined("lerp", end);
  // A plain number does not make integers floats here.
  const DType common = promote(*this, end);
  return ops::of_three<ops::Lerp>(*this, end, is_floating(common) ? full({}, weight.value, common) : end);
}
Tensor Tensor::addcmul(const Tensor& a, const Tensor& b, double value) const {
  ops::check_defined("addcmul", *this);
  ops::check_defined("addcmul", a);
  ops::check_defined("addcmul", b);
  if (is_floating(promote(promote(dtype(), a.dtype()), b.dtype()))) {
    return ops::of_three<ops::Addcmul>(*this, a, b, {.value = value});
  }
  // Integers stay integers.
  (void)broadcast_shapes("addcmul", broadcast_shapes("addcmul", shape(), a.shape()), b.shape());
  if (std::nearbyint(value) != value || std::fabs(value) > 0x1p53) {
    fail("addcmul: {} is no integer, the tensors are", value);
  }
  return add(a.mul(b).mul(static_cast<std::int64_t>(value)));
}
Tensor Tensor::addcdiv(const Tensor& a, const Tensor& b, double value) const {
  return ops::of_three<ops::Addcdiv>(*this, a, b, {.value = value});
}

}  // namespace feral
