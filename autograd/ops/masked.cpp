#include "autograd/ops/masked.hpp"
#include "autograd/ops/inplace.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "autograd/ops/index.hpp"
#include "autograd/ops/index_check.hpp"

namespace feral::ops {
namespace {

void check_mask(std::string_view op, const Tensor& mask) {
  check_defined(op, mask);
  if (mask.dtype() != DType::boolean) fail("{}: the mask must be bool, got {}", op, mask.to_string());
}

// For a mask beside a target that keeps its shape.
void check_mask_fits(std::string_view op, const Tensor& target, const Tensor& mask) {
  check_mask(op, mask);
  if (!(broadcast_shapes(op, target.shape(), mask.shape()) == target.shape())) {
    fail("{}: a mask of shape {} does not broadcast to {}", op, mask.shape().to_string(),
         target.shape().to_string());
  }
}

}  // namespace

Result Nonzero::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  const std::int64_t count = kernels(x.device()).nonzero_count(x);
  return {attributes.flat ? Shape{count} : Shape{count, x.dims()}, DType::int64, x.device()};
}

void Nonzero::run(const Attributes& attributes, const Tensor& out, Aux<Nonzero>&, const Tensor& x) {
  const Kernels& device = kernels(out.device());
  if (attributes.flat) {
    device.nonzero_positions(out, x);
    return;
  }
  const Tensor positions = Tensor::empty({out.shape()[0]}, DType::int64);
  device.nonzero_positions(positions, x);
  device.unravel(out, positions, x.shape());
}

}  // namespace feral::ops

namespace feral {

using namespace ops;

Tensor Tensor::nonzero() const { return apply<Nonzero>({}, *this); }

Tensor Tensor::masked_select(const Tensor& mask) const {
  check_defined("masked_select", *this);
  check_mask("masked_select", mask);
  const Shape common = broadcast_shapes("masked_select", shape(), mask.shape());
  const Tensor positions = apply<Nonzero>({.flat = true}, mask.expand(common));
  return apply<Pick>({.first = 0, .count = common.dims(), .caller = "masked_select"}, expand(common), positions);
}

Tensor Tensor::masked_fill(const Tensor& mask, Scalar value) const {
  check_defined("masked_fill", *this);
  check_mask("masked_fill", mask);
  broadcast_shapes("masked_fill", shape(), mask.shape());
  return apply<Where>({}, mask, number_of("masked_fill", value, dtype()), *this);
}

const Tensor& Tensor::masked_fill_(const Tensor& mask, Scalar value) const {
  if (is_recorded(*this)) {
    return record_in_place("masked_fill_", *this, [&](const Tensor& x) { return x.masked_fill(mask, value); });
  }
  check_in_place("masked_fill_", *this, {&mask});
  check_mask_fits("masked_fill_", *this, mask);
  const Tensor number = number_of("masked_fill_", value, dtype());
  kernels(device()).where(*this, copied_from(*this, mask), number, *this);
  return *this;
}

const Tensor& Tensor::masked_scatter_(const Tensor& mask, const Tensor& source) const {
  if (is_recorded(*this, source)) {
    check_mask_fits("masked_scatter_", *this, mask);
    return record_in_place(
        "masked_scatter_", *this,
        [&](const Tensor& x, const Tensor& from) {
          const Tensor positions = apply<Nonzero>({.flat = true}, mask.expand(x.shape()));
          const Tensor values = from.reshape({-1}).narrow(0, 0, std::min(positions.numel(), from.numel()));
          return x.reshape({-1}).index_copy(0, positions, values).reshape(x.shape());
        },
        source);
  }
  check_in_place("masked_scatter_", *this, {&mask, &source});
  check_mask_fits("masked_scatter_", *this, mask);
  if (source.dtype() != dtype()) {
    fail("masked_scatter_: the source is {}, the tensor {}; convert one with to()", name_of(source.dtype()),
         name_of(dtype()));
  }
  const NoGradGuard no_grad;
  const Tensor positions = apply<Nonzero>({.flat = true}, mask.expand(shape()));
  const std::int64_t count = positions.numel();
  if (source.numel() < count) {
    fail("masked_scatter_: the mask chooses {} elements, the source of shape {} has {}", count,
         source.shape().to_string(), source.numel());
  }
  const Tensor values = copied_from(*this, source.reshape({-1}).narrow(0, 0, count));
  kernels(device()).index_write(WriteKernel::copy, *this, positions, values, 0);
  return *this;
}

}  // namespace feral
