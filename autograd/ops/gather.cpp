#include "autograd/ops/gather.hpp"
#include "autograd/ops/inplace.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/index_check.hpp"

namespace feral::ops {
namespace {

std::string_view caller_of(const GatherAttributes& attributes, std::string_view op) {
  return attributes.caller.empty() ? op : attributes.caller;
}

}  // namespace

void check_scatter(std::string_view op, const Shape& x, DType dtype, int dim, const Tensor& index,
                   const Tensor* source) {
  check_defined(op, index);
  bool fits = index.dims() == x.dims();
  for (int i = 0; fits && i < x.dims(); ++i) fits = i == dim || index.shape()[i] <= x[i];
  if (!fits) {
    fail(
        "{}: index of shape {} does not fit a tensor of shape {} along dimension {}: it must have as many "
        "dimensions, no larger ones but that",
        op, index.shape().to_string(), x.to_string(), dim);
  }
  if (source != nullptr) {
    check_defined(op, *source);
    if (source->dtype() != dtype) {
      fail("{}: the source is {}, the tensor {}; convert one with to()", op, name_of(source->dtype()),
           name_of(dtype));
    }
    if (!(source->shape() == index.shape())) {
      fail("{}: source of shape {} does not fit an index of shape {}", op, source->shape().to_string(),
           index.shape().to_string());
    }
  }
  check_indices(op, index, 0, x[dim]);
}

GatherOperands gather_operands(std::string_view op, const Tensor& x, std::int64_t dim, const Tensor& index,
                               const Tensor* source) {
  check_defined(op, x);
  GatherOperands result{at_least_1d(x), at_least_1d(int64_index(op, index)), {}, 0};
  result.dim = normalize_dim(op, dim, result.x.dims());
  if (source == nullptr) return result;
  check_defined(op, *source);
  result.source = at_least_1d(*source);
  if (result.source.dims() != result.index.dims()) return result;  // the op says what is wrong
  for (int i = 0; i < result.index.dims(); ++i) {
    const std::int64_t size = result.index.shape()[i];
    if (result.source.shape()[i] > size) result.source = result.source.narrow(i, 0, size);
  }
  return result;
}

// gather

Result Gather::infer(const Attributes& attributes, const Tensor& x, const Tensor& index) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  check_scatter(op, x.shape(), x.dtype(), attributes.dim, index, nullptr);
  return {index.shape(), x.dtype(), x.device()};
}

void Gather::run(const Attributes& attributes, const Tensor& out, Aux<Gather>&, const Tensor& x,
                 const Tensor& index) {
  kernels(out.device()).gather(out, x, index, attributes.dim);
}

Gradients<2> Gather::gradient(const Saved<Gather>& saved, const Tensor& gradient) {
  const ScatterAdd::Attributes attributes{{.dim = saved.attributes().dim}, saved.input_shape(0)};
  return {apply<ScatterAdd>(attributes, Tensor(), saved.input(1), gradient), Tensor()};
}

// scatter

Result Scatter::infer(const Attributes& attributes, const Tensor& x, const Tensor& index, const Tensor& source) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  check_scatter(op, x.shape(), x.dtype(), attributes.dim, index, &source);
  return {x.shape(), x.dtype(), x.device()};
}

void Scatter::run(const Attributes& attributes, const Tensor& out, Aux<Scatter>&, const Tensor& x,
                  const Tensor& index, const Tensor& source) {
  const Kernels& device = kernels(out.device());
  device.copy(out, x);
  device.scatter(WriteKernel::copy, out, index, source, attributes.dim);
}

Gradients<3> Scatter::gradient(const Saved<Scatter>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = apply<ScatterFill>({saved.attributes()}, gradient, saved.input(1));
  if (saved.needs(2)) result[2] = apply<Gather>(saved.attributes(), gradient, saved.input(1));
  return result;
}

// scatter of a number

Result ScatterFill::infer(const Attributes& attributes, const Tensor& x, const Tensor& index) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  check_scatter(op, x.shape(), x.dtype(), attributes.dim, index, nullptr);
  number_of(op, attributes.value, x.dtype());
  return {x.shape(), x.dtype(), x.device()};
}

void ScatterFill::run(const Attributes& attributes, const Tensor& out, Aux<ScatterFill>&, const Tensor& x,
                      const Tensor& index) {
  const Kernels& device = kernels(out.device());
  device.copy(out, x);
  const Tensor value = number_of(name, attributes.value, x.dtype()).expand(index.shape());
  device.scatter(WriteKernel::copy, out, index, value, attributes.dim);
}

Gradients<2> ScatterFill::gradient(const Saved<ScatterFill>& saved, const Tensor& gradient) {
  ScatterFill::Attributes attributes = saved.attributes();
  attributes.value = 0;
  return {apply<ScatterFill>(attributes, gradient, saved.input(1)), Tensor()};
}

// scatter_add

Result ScatterAdd::infer(const Attributes& attributes, const Tensor& x, const Tensor& index, const Tensor& source) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, source);
  const Shape shape = x.defined() ? x.shape() : attributes.shape;
  const DType dtype = x.defined() ? x.dtype() : source.dtype();
  check_scatter(op, shape, dtype, attributes.dim, index, &source);
  return {shape, dtype, source.device()};
}

void ScatterAdd::run(const Attributes& attributes, const Tensor& out, Aux<ScatterAdd>&, const Tensor& x,
                     const Tensor& index, const Tensor& source) {
  const Kernels& device = kernels(out.device());
  if (x.defined()) {
    device.copy(out, x);
  } else {
    device.fill(out, 0);
  }
  device.scatter(WriteKernel::add, out, index, source, attributes.dim);
}

Gradients<3> ScatterAdd::gradient(const Saved<ScatterAdd>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient;
  if (saved.needs(2)) result[2] = apply<Gather>(saved.attributes(), gradient, saved.input(1));
  return result;
}

}  // namespace feral::ops

namespace feral {
namespace {

using namespace ops;

const Tensor& scatter_in_place(std::string_view op, WriteKernel how, const Tensor& target, std::int64_t dim,
                               const Tensor& index, const Tensor& source) {
  check_in_place(op, target, {&index, &source});
  const NoGradGuard no_grad;
  const GatherOperands o = gather_operands(op, target, dim, index, &source);
  check_scatter(op, o.x.shape(), o.x.dtype(), o.dim, o.index, &o.source);
  kernels(target.device()).scatter(how, o.x, copied_from(target, o.index), copied_from(target, o.source), o.dim);
  return target;
}

}  // namespace

Tensor Tensor::gather(std::int64_t dim, const Tensor& index) const {
  const GatherOperands o = gather_operands("gather", *this, dim, index, nullptr);
  return apply<Gather>({.dim = o.dim}, o.x, o.index).reshape(index.shape());
}

Tensor Tensor::scatter(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  const GatherOperands o = gather_operands("scatter", *this, dim, index, &source);
  return apply<Scatter>({.dim = o.dim}, o.x, o.index, o.source).reshape(shape());
}

Tensor Tensor::scatter(std::int64_t dim, const Tensor& index, Scalar value) const {
  const GatherOperands o = gather_operands("scatter", *this, dim, index, nullptr);
  return apply<ScatterFill>({{.dim = o.dim, .caller = "scatter"}, value}, o.x, o.index).reshape(shape());
}

Tensor Tensor::scatter_add(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  const GatherOperands o = gather_operands("scatter_add", *this, dim, index, &source);
  return apply<ScatterAdd>({{.dim = o.dim}, {}}, o.x, o.index, o.source).reshape(shape());
}

const Tensor& Tensor::scatter_(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  if (is_recorded(*this, source)) {
    return record_in_place(
        "scatter_", *this, [&](const Tensor& x, const Tensor& from) { return x.scatter(dim, index, from); },
        source);
  }
  return scatter_in_place("scatter_", WriteKernel::copy, *this, dim, index, source);
}

const Tensor& Tensor::scatter_add_(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  if (is_recorded(*this, source)) {
    return record_in_place(
        "scatter_add_", *this, [&](const Tensor& x, const Tensor& from) { return x.scatter_add(dim, index, from); },
        source);
  }
  return scatter_in_place("scatter_add_", WriteKernel::add, *this, dim, index, source);
}

Tensor Tensor::take_along_dim(const Tensor& indices, std::int64_t dim) const {
  constexpr std::string_view op = "take_along_dim";
  check_defined(op, *this);
  check_defined(op, indices);
  if (indices.dims() != dims()) {
    fail("{}: indices of shape {} must have as many dimensions as the tensor of shape {}", op,
         indices.shape().to_string(), shape().to_string());
  }
  if (dims() == 0) fail("{}: a tensor without dimensions has none to take along", op);
  const int along = normalize_dim(op, dim, dims());
  const std::int64_t size = shape()[along];
  const Tensor wrapped = wrapped_index(op, indices, size);
  // Both broadcast, but for the dimension itself.
  Shape own = shape();
  Shape other = indices.shape();
  own[along] = other[along] = 1;
  Shape target = broadcast_shapes(op, own, other);
  target[along] = indices.shape()[along];
  const Tensor index = wrapped.expand(target);
  target[along] = size;
  return apply<Gather>({.dim = along, .caller = op}, expand(target), index);
}

}  // namespace feral
