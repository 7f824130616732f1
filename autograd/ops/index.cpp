#include "autograd/ops/index.hpp"
#include "autograd/ops/inplace.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/index_check.hpp"

namespace feral::ops {
namespace {

std::string_view caller_of(const IndexAttributes& attributes, std::string_view op) {
  return attributes.caller.empty() ? op : attributes.caller;
}

// Checks positions against the dimensions of `shape` that they pick from; answers the shape of what they pick.
Shape check_positions(std::string_view op, const IndexAttributes& attributes, const Shape& shape,
                      const Tensor& positions) {
  std::int64_t size = 1;
  for (int i = 0; i < attributes.count; ++i) size *= shape[attributes.first + i];
  check_indices(op, positions, 0, size);
  return picked_shape(shape, positions.shape(), attributes.first, attributes.count);
}

void check_source(std::string_view op, const Shape& picked, DType dtype, const Tensor& source) {
  check_defined(op, source);
  if (source.dtype() != dtype) {
    fail("{}: the source is {}, the tensor {}; convert one with to()", op, name_of(source.dtype()), name_of(dtype));
  }
  if (!(source.shape() == picked)) {
    fail("{}: the source has shape {}, the index picks {}", op, source.shape().to_string(), picked.to_string());
  }
}

// Writes attributes.value to the picked elements of `out`.
void fill_picked(const IndexFill::Attributes& attributes, const Tensor& out, const Tensor& positions) {
  const Shape picked = picked_shape(out.shape(), positions.shape(), attributes.first, attributes.count);
  const Tensor value = number_of(IndexFill::name, attributes.value, out.dtype()).expand(picked);
  kernels(out.device()).index_write(WriteKernel::copy, out, positions.contiguous(), value, attributes.first);
}

// x and index as the ops want them, for the methods along one dimension: a tensor or index without dimensions
// stands for one with a single element.
struct Along {
  Tensor x;
  Tensor index;
  int dim;
};

Along along(std::string_view op, const Tensor& x, std::int64_t dim, const Tensor& index) {
  check_defined(op, x);
  const Tensor positions = int64_index(op, index);
  if (index.dims() > 1) fail("{}: the index must have one dimension, got {}", op, index.to_string());
  const Tensor line = at_least_1d(x);
  const int normalized = normalize_dim(op, dim, line.dims());
  if (x.dims() == 0 && index.numel() != 1) {
    fail("{}: a tensor without dimensions takes one index, got {}", op, index.to_string());
  }
  return {line, at_least_1d(positions), normalized};
}

}  // namespace

Shape picked_shape(const Shape& x, const Shape& at, int first, int count) {
  Shape shape;
  for (int i = 0; i < first; ++i) shape.push_back(x[i]);
  for (const std::int64_t size : at) shape.push_back(size);
  for (int i = first + count; i < x.dims(); ++i) shape.push_back(x[i]);
  return shape;
}

// index

Result Pick::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  return {check_positions(op, attributes, x.shape(), positions), x.dtype(), x.device()};
}

void Pick::run(const Attributes& attributes, const Tensor& out, Aux<Pick>&, const Tensor& x,
               const Tensor& positions) {
  kernels(out.device()).index(out, x, positions.contiguous(), attributes.first);
}

Gradients<2> Pick::gradient(const Saved<Pick>& saved, const Tensor& gradient) {
  const Attributes& own = saved.attributes();
  const IndexAdd::Attributes attributes{{.first = own.first, .count = own.count}, saved.input_shape(0)};
  return {apply<IndexAdd>(attributes, Tensor(), saved.input(1), gradient), Tensor()};
}

// index_add

Result IndexAdd::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions,
                       const Tensor& source) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, source);
  const Shape shape = x.defined() ? x.shape() : attributes.shape;
  const DType dtype = x.defined() ? x.dtype() : source.dtype();
  check_source(op, check_positions(op, attributes, shape, positions), dtype, source);
  return {shape, dtype, source.device()};
}

void IndexAdd::run(const Attributes& attributes, const Tensor& out, Aux<IndexAdd>&, const Tensor& x,
                   const Tensor& positions, const Tensor& source) {
  const Kernels& device = kernels(out.device());
  if (x.defined()) {
    device.copy(out, x);
  } else {
    device.fill(out, 0);
  }
  device.index_write(WriteKernel::add, out, positions.contiguous(), source, attributes.first);
}

Gradients<3> IndexAdd::gradient(const Saved<IndexAdd>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient;
  if (saved.needs(2)) result[2] = apply<Pick>(saved.attributes(), gradient, saved.input(1));
  return result;
}

// index_copy

Result IndexCopy::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions,
                        const Tensor& source) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  check_source(op, check_positions(op, attributes, x.shape(), positions), x.dtype(), source);
  return {x.shape(), x.dtype(), x.device()};
}

void IndexCopy::run(const Attributes& attributes, const Tensor& out, Aux<IndexCopy>&, const Tensor& x,
                    const Tensor& positions, const Tensor& source) {
  const Kernels& device = kernels(out.device());
  device.copy(out, x);
  device.index_write(WriteKernel::copy, out, positions.contiguous(), source, attributes.first);
}

Gradients<3> IndexCopy::gradient(const Saved<IndexCopy>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = apply<IndexFill>({saved.attributes()}, gradient, saved.input(1));
  if (saved.needs(2)) result[2] = apply<Pick>(saved.attributes(), gradient, saved.input(1));
  return result;
}

// index_fill

Result IndexFill::infer(const Attributes& attributes, const Tensor& x, const Tensor& positions) {
  const std::string_view op = caller_of(attributes, name);
  check_defined(op, x);
  check_positions(op, attributes, x.shape(), positions);
  number_of(op, attributes.value, x.dtype());
  return {x.shape(), x.dtype(), x.device()};
}

void IndexFill::run(const Attributes& attributes, const Tensor& out, Aux<IndexFill>&, const Tensor& x,
                    const Tensor& positions) {
  kernels(out.device()).copy(out, x);
  fill_picked(attributes, out, positions);
}

Gradients<2> IndexFill::gradient(const Saved<IndexFill>& saved, const Tensor& gradient) {
  IndexFill::Attributes attributes = saved.attributes();
  attributes.value = 0;
  return {apply<IndexFill>(attributes, gradient, saved.input(1)), Tensor()};
}

}  // namespace feral::ops

namespace feral {
namespace {

using namespace ops;

// A source along with x and index: where the index stands for one slice, a source without that dimension does too.
Tensor source_along(std::string_view op, const Tensor& source) {
  check_defined(op, source);
  return at_least_1d(source);
}

template <class Op>
const Tensor& write_along(std::string_view op, WriteKernel how, const Tensor& target, std::int64_t dim,
                          const Tensor& index, const Tensor& source) {
  check_in_place(op, target, {&index, &source});
  const NoGradGuard no_grad;
  const Along a = along(op, target, dim, index);
  const Tensor values = source_along(op, source);
  typename Op::Attributes attributes{};
  attributes.first = a.dim;
  attributes.caller = op;
  Op::infer(attributes, a.x, a.index, values);
  kernels(target.device())
      .index_write(how, a.x, copied_from(target, a.index.contiguous()), copied_from(target, values), a.dim);
  return target;
}

}  // namespace

Tensor Tensor::index_select(std::int64_t dim, const Tensor& index) const {
  const Along a = along("index_select", *this, dim, index);
  const Tensor result = apply<Pick>({.first = a.dim, .caller = "index_select"}, a.x, a.index);
  return dims() == 0 ? result.reshape({}) : result;
}

Tensor Tensor::index_add(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  const Along a = along("index_add", *this, dim, index);
  IndexAdd::Attributes attributes;
  attributes.first = a.dim;
  return apply<IndexAdd>(attributes, a.x, a.index, source_along("index_add", source)).reshape(shape());
}

Tensor Tensor::index_copy(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  const Along a = along("index_copy", *this, dim, index);
  return apply<IndexCopy>({.first = a.dim}, a.x, a.index, source_along("index_copy", source)).reshape(shape());
}

Tensor Tensor::index_fill(std::int64_t dim, const Tensor& index, Scalar value) const {
  const Along a = along("index_fill", *this, dim, index);
  return apply<IndexFill>({{.first = a.dim}, value}, a.x, a.index).reshape(shape());
}

const Tensor& Tensor::index_add_(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  if (is_recorded(*this, source)) {
    return record_in_place(
        "index_add_", *this, [&](const Tensor& x, const Tensor& from) { return x.index_add(dim, index, from); },
        source);
  }
  return write_along<IndexAdd>("index_add_", WriteKernel::add, *this, dim, index, source);
}

const Tensor& Tensor::index_copy_(std::int64_t dim, const Tensor& index, const Tensor& source) const {
  if (is_recorded(*this, source)) {
    return record_in_place(
        "index_copy_", *this, [&](const Tensor& x, const Tensor& from) { return x.index_copy(dim, index, from); },
        source);
  }
  return write_along<IndexCopy>("index_copy_", WriteKernel::copy, *this, dim, index, source);
}

const Tensor& Tensor::index_fill_(std::int64_t dim, const Tensor& index, Scalar value) const {
  if (is_recorded(*this)) {
    return record_in_place("index_fill_", *this, [&](const Tensor& x) { return x.index_fill(dim, index, value); });
  }
  check_in_place("index_fill_", *this, {&index});
  const NoGradGuard no_grad;
  const Along a = along("index_fill_", *this, dim, index);
  const IndexFill::Attributes attributes{{.first = a.dim, .caller = "index_fill_"}, value};
  IndexFill::infer(attributes, a.x, a.index);
  fill_picked(attributes, a.x, copied_from(*this, a.index));
  return *this;
}

Tensor Tensor::take(const Tensor& index) const {
  check_defined("take", *this);
  const Tensor positions = wrapped_index("take", index, numel());
  return apply<Pick>({.first = 0, .count = dims(), .caller = "take"}, *this, positions);
}

}  // namespace feral
