#include "autograd/ops/choice.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/promoted.hpp"

namespace feral::ops {

template <class Self, CompareKernel kernel>
Result Compare<Self, kernel>::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  Result result = arithmetic_result(Self::name, a, b);
  result.dtype = DType::boolean;
  return result;
}

Result Where::infer(const Attributes&, const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_defined(name, condition);
  check_same_dtype(name, a, b);
  if (condition.dtype() != DType::boolean)
    fail("{}: the condition must be bool, got {}", name, condition.to_string());
  return {broadcast_shapes(name, broadcast_shapes(name, a.shape(), b.shape()), condition.shape()), a.dtype(),
          a.device()};
}

void Where::run(const Attributes&, const Tensor& out, Aux<Where>&, const Tensor& condition, const Tensor& a,
                const Tensor& b) {
  kernels(out.device()).where(out, condition, a, b);
}

Gradients<3> Where::gradient(const Saved<Where>& saved, const Tensor& gradient) {
  const Tensor& condition = saved.input(0);
  const Tensor zero = Tensor::zeros({}, gradient.dtype());
  Gradients<3> result;
  if (saved.needs(1)) result[1] = where(condition, gradient, zero).sum_to(saved.input_shape(1));
  if (saved.needs(2)) result[2] = where(condition, zero, gradient).sum_to(saved.input_shape(2));
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  ops::check_defined("where", a);
  ops::check_defined("where", b);
  const DType common = promote(a, b);
  return apply<ops::Where>({}, condition, a.to(common), b.to(common));
}

Tensor Tensor::eq(const Tensor& other) const { return ops::compare_promoted<ops::Equal>(*this, other); }
Tensor Tensor::ne(const Tensor& other) const { return ops::compare_promoted<ops::NotEqual>(*this, other); }
Tensor Tensor::lt(const Tensor& other) const { return ops::compare_promoted<ops::Less>(*this, other); }
Tensor Tensor::le(const Tensor& other) const { return ops::compare_promoted<ops::LessEqual>(*this, other); }
Tensor Tensor::gt(const Tensor& other) const { return other.lt(*this); }
Tensor Tensor::ge(const Tensor& other) const { return other.le(*this); }
Tensor Tensor::eq(Scalar other) const { return eq(as_operand(other)); }
Tensor Tensor::ne(Scalar other) const { return ne(as_operand(other)); }
Tensor Tensor::lt(Scalar other) const { return lt(as_operand(other)); }
Tensor Tensor::le(Scalar other) const { return le(as_operand(other)); }
Tensor Tensor::gt(Scalar other) const { return gt(as_operand(other)); }
Tensor Tensor::ge(Scalar other) const { return ge(as_operand(other)); }

}  // namespace feral
