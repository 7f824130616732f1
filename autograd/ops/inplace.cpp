#include "autograd/ops/inplace.hpp"

#include <functional>

#include "tensor/kernels.hpp"
#include "tensor/view_of.hpp"

namespace feral::ops {

void check_recordable(std::string_view op, const Tensor& target) {
  check_defined(op, target);
  const TensorImpl& impl = *target.impl();
  const auto refuse = [&](std::string_view why) {
    fail(
        "{}: cannot be recorded, since this tensor of shape {} {}; use the form without the underscore, detach() "
        "or "
        "NoGradGuard",
        op, target.shape().to_string(), why);
  };
  if (target.is_leaf() && target.requires_grad()) refuse("is a leaf that requires a gradient");
  // A node that has kept its result keeps the memory; this tensor goes on with other memory.
  if (impl.storage->references - impl.storage->saved > 1) refuse("shares its memory with another");
  if (impl.storage->release == nullptr || impl.storage->deleter != nullptr) refuse("shows memory from outside");
}

Tensor as_before(const Tensor& target) {
  const Tensor before = view_of(target, target.shape(), target.strides());
  TensorImpl& impl = *before.impl();
  impl.requires_grad = target.requires_grad();
  impl.producer = target.impl()->producer;
  if (impl.producer != nullptr) retain(impl.producer);
  return before;
}

void become(std::string_view op, const Tensor& target, const Tensor& result) {
  if (!(result.shape() == target.shape())) {
    fail("{}: the result has shape {}, this tensor {}", op, result.shape().to_string(), target.shape().to_string());
  }
  check_result_type(op, result.dtype(), target);
  Tensor fresh = result.to(target.dtype());
  // A result whose memory another tensor shows gets memory of its own.
  const Storage& memory = *fresh.impl()->storage;
  if (memory.references - memory.saved > 1) fresh = fresh.clone();
  TensorImpl& impl = *target.impl();
  const TensorImpl& from = *fresh.impl();
  from.storage->retain();
  impl.storage->drop();
  impl.storage = from.storage;
  impl.data = from.data;
  impl.strides = from.strides;
  impl.contiguous = from.contiguous;
  if (from.producer != nullptr) retain(from.producer);
  if (impl.producer != nullptr) {
    if (impl.producer->retainer == &impl) impl.producer->retainer = nullptr;
    release(impl.producer);
  }
  impl.producer = from.producer;
  impl.requires_grad = from.requires_grad;
}

}  // namespace feral::ops

namespace feral {
namespace {

using UnaryMethod = Tensor (Tensor::*)() const;
using BinaryMethod = Tensor (Tensor::*)(const Tensor&) const;

// Whether the kernel itself computes in this type what the method of its name does.
bool computes(BinaryKernel kernel, DType type) {
  switch (kernel) {
    case BinaryKernel::add:
    case BinaryKernel::mul:
    case BinaryKernel::maximum:
    case BinaryKernel::minimum:
      return !is_half(type);
    case BinaryKernel::sub:
      return !is_half(type) && type != DType::boolean;
    case BinaryKernel::bitwise_and:
    case BinaryKernel::bitwise_or:
    case BinaryKernel::bitwise_xor:
      return !is_floating(type);
    default:
      return has_gradient(type);
  }
}

// What a method made anew becomes this tensor's elements.
const Tensor& write_result(std::string_view op, const Tensor& self, const Tensor& result) {
  ops::check_result_type(op, result.dtype(), self);
  return self.copy_(result);
}

// The kernel is called on this tensor itself where the types are those that it computes in; otherwise the method
// promotes and converts.
const Tensor& write_unary(std::string_view op, UnaryKernel kernel, UnaryMethod method, const Tensor& self) {
  if (ops::is_recorded(self)) return ops::record_in_place(op, self, std::mem_fn(method));
  ops::check_in_place(op, self);
  if (!has_gradient(self.dtype())) {
    const NoGradGuard guard;
    return write_result(op, self, (self.*method)());
  }
  kernels(self.device()).unary(kernel, self, self);
  return self;
}

const Tensor& write_binary(std::string_view op, BinaryKernel kernel, BinaryMethod method, const Tensor& self,
                           const Tensor& other) {
  if (ops::is_recorded(self, other)) return ops::record_in_place(op, self, std::mem_fn(method), other);
  ops::check_in_place(op, self);
  ops::check_operand(op, self, other);
  if (self.dtype() != other.dtype() || !computes(kernel, self.dtype())) {
    const NoGradGuard guard;
    return write_result(op, self, (self.*method)(other));
  }
  kernels(self.device()).binary(kernel, self, self, apart_from(self, other));
  return self;
}

const Tensor& write_affine(std::string_view op, const Tensor& self, double scale, double shift) {
  ops::check_in_place(op, self);
  kernels(self.device()).affine(self, self, scale, shift);
  return self;
}

bool computed_as_float(const Tensor& x) { return x.defined() && has_gradient(x.dtype()); }

// Added to a product it leaves the product's sign alone, that of a zero, too.
constexpr double nothing = -0.0;

}  // namespace

#define FERAL_BINARY(op)                                                       \
  const Tensor& Tensor::op##_(const Tensor& other) const {                     \
    return write_binary(#op "_", BinaryKernel::op, &Tensor::op, *this, other); \
  }
FERAL_BINARY(add)
FERAL_BINARY(sub)
FERAL_BINARY(mul)
FERAL_BINARY(div)
FERAL_BINARY(pow)
FERAL_BINARY(fmod)
FERAL_BINARY(remainder)
FERAL_BINARY(maximum)
FERAL_BINARY(minimum)
FERAL_BINARY(bitwise_and)
FERAL_BINARY(bitwise_or)
FERAL_BINARY(bitwise_xor)
#undef FERAL_BINARY

#define FERAL_UNARY(op) \
  const Tensor& Tensor::op##_() const { return write_unary(#op "_", UnaryKernel::op, &Tensor::op, *this); }
FERAL_UNARY(abs)
FERAL_UNARY(sign)
FERAL_UNARY(square)
FERAL_UNARY(floor)
FERAL_UNARY(ceil)
FERAL_UNARY(trunc)
FERAL_UNARY(round)
FERAL_UNARY(exp)
FERAL_UNARY(log)
FERAL_UNARY(sqrt)
FERAL_UNARY(rsqrt)
FERAL_UNARY(reciprocal)
FERAL_UNARY(sin)
FERAL_UNARY(cos)
FERAL_UNARY(tanh)
FERAL_UNARY(sigmoid)
FERAL_UNARY(relu)
FERAL_UNARY(erf)
#undef FERAL_UNARY

const Tensor& Tensor::add_(Scalar other) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("add_", *this, [&](const Tensor& x) { return x.add(other); });
  }
  if (computed_as_float(*this)) return write_affine("add_", *this, 1, other.value);
  ops::check_in_place("add_", *this);
  return add_(as_operand(other));
}

const Tensor& Tensor::sub_(Scalar other) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("sub_", *this, [&](const Tensor& x) { return x.sub(other); });
  }
  if (computed_as_float(*this)) return write_affine("sub_", *this, 1, -other.value);
  ops::check_in_place("sub_", *this);
  return sub_(as_operand(other));
}

const Tensor& Tensor::mul_(Scalar other) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("mul_", *this, [&](const Tensor& x) { return x.mul(other); });
  }
  if (computed_as_float(*this)) return write_affine("mul_", *this, other.value, nothing);
  ops::check_in_place("mul_", *this);
  return mul_(as_operand(other));
}

const Tensor& Tensor::div_(Scalar other) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("div_", *this, [&](const Tensor& x) { return x.div(other); });
  }
  ops::check_in_place("div_", *this);
  return div_(as_operand(other));
}

const Tensor& Tensor::pow_(Scalar other) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("pow_", *this, [&](const Tensor& x) { return x.pow(other); });
  }
  ops::check_in_place("pow_", *this);
  const NoGradGuard guard;
  return write_result("pow_", *this, pow(other));
}

const Tensor& Tensor::neg_() const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("neg_", *this, [&](const Tensor& x) { return x.neg(); });
  }
  if (computed_as_float(*this)) return write_affine("neg_", *this, -1, nothing);
  ops::check_in_place("neg_", *this);
  const NoGradGuard guard;
  return write_result("neg_", *this, neg());
}

const Tensor& Tensor::clamp_(Scalar low, Scalar high) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("clamp_", *this, [&](const Tensor& x) { return x.clamp(low, high); });
  }
  ops::check_in_place("clamp_", *this);
  if (!has_gradient(dtype())) {
    const NoGradGuard guard;
    return write_result("clamp_", *this, clamp(low, high));
  }
  kernels(device()).parametric(ParametricKernel::clamp, *this, *this, {low.value, high.value, 0});
  return *this;
}

const Tensor& Tensor::lerp_(const Tensor& end, Scalar weight) const {
  if (ops::is_recorded(*this, end)) {
    return ops::record_in_place(
        "lerp_", *this, [&](const Tensor& x, const Tensor& to) { return x.lerp(to, weight); }, end);
  }
  ops::check_in_place("lerp_", *this);
  ops::check_operand("lerp_", *this, end);
  if (!has_gradient(dtype()) || dtype() != end.dtype()) {
    const NoGradGuard guard;
    return write_result("lerp_", *this, lerp(end, weight));
  }
  kernels(device()).ternary(TernaryKernel::lerp, *this, *this, apart_from(*this, end), as_operand(weight), 1);
  return *this;
}

const Tensor& Tensor::nan_to_num_(double nan) const {
  if (ops::is_recorded(*this)) {
    return ops::record_in_place("nan_to_num_", *this, [&](const Tensor& x) { return x.nan_to_num(nan); });
  }
  ops::check_in_place("nan_to_num_", *this);
  if (!is_floating(dtype())) return *this;
  const NoGradGuard guard;
  return write_result("nan_to_num_", *this, nan_to_num(nan));
}

const Tensor& Tensor::copy_(const Tensor& source) const {
  if (ops::is_recorded(*this, source) && (!is_leaf() || source.requires_grad())) {
    return ops::record_in_place(
        "copy_", *this,
        [](const Tensor& x, const Tensor& from) { return from.expand(x.shape()).to(x.dtype()).clone(); }, source);
  }
  check_written("copy_", *this);
  refuse_undefined("copy_", source);
  if (!(broadcast_shapes("copy_", shape(), source.shape()) == shape())) {
    fail("copy_: shape {} does not broadcast to {}", source.shape().to_string(), shape().to_string());
  }
  if (!same_view(*this, source)) kernels(device()).copy(*this, apart_from(*this, source));
  return *this;
}

const Tensor& Tensor::fill_(Scalar value) const {
  if (ops::is_recorded(*this) && !is_leaf()) {
    return ops::record_in_place("fill_", *this, [&](const Tensor& x) { return full(x.shape(), value, x.dtype()); });
  }
  check_written("fill_", *this);
  kernels(device()).fill(*this, value);
  return *this;
}

}  // namespace feral
