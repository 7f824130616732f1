#include "autograd/ops/extreme.hpp"

#include <limits>

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

// Nothing has no largest element.
void check_not_empty(std::string_view op, const Tensor& x, DimSet dims) {
  for (int i = 0; i < x.dims(); ++i) {
    if (dims.contains(i) && x.shape()[i] == 0)
      fail("{}: dimension {} of {} is empty", op, i, x.shape().to_string());
  }
}

// dim -1: all.
DimSet dims_of(const Tensor& x, int dim) {
  return dim < 0 || x.dims() == 0 ? DimSet::all(x.dims()) : DimSet::of(dim);
}

}  // namespace

Tensor shared_gradient(const Tensor& x, const Tensor& result, const Tensor& gradient, DimSet dims) {
  const Tensor equal = x.eq(result).to(x.dtype());
  return equal * (gradient / apply<Sum>({.dims = dims, .keepdim = true}, equal));
}

template <class Self, ReduceKernel kernel>
Result Extreme<Self, kernel>::infer(const Reduction& attributes, const Tensor& x) {
  check_defined(Self::name, x);
  check_not_empty(Self::name, x, attributes.dims);
  return {reduced_shape(x.shape(), attributes.dims, attributes.keepdim), x.dtype(), x.device()};
}

template <class Self, ReduceKernel kernel>
Gradients<1> Extreme<Self, kernel>::gradient(const Saved<Self>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const DimSet dims = saved.attributes().dims;
  return {shared_gradient(x, with_reduced_dims(saved.output(), x.shape(), dims),
                          with_reduced_dims(gradient, x.shape(), dims), dims)};
}

template struct Extreme<Amax, ReduceKernel::amax>;
template struct Extreme<Amin, ReduceKernel::amin>;

Result Median::infer(const Attributes&, const Tensor& x) {
  check_defined(name, x);
  if (x.numel() == 0 && !is_floating(x.dtype())) {
    fail("{}: {} has no elements, and no NaN to say so", name, x.to_string());
  }
  return {{}, x.dtype(), x.device()};
}

void Median::run(const Attributes&, const Tensor& out, Aux<Median>&, const Tensor& x) {
  const NoGradGuard no_grad;
  const Kernels& device = kernels(out.device());
  if (x.numel() == 0) return device.fill(out, std::numeric_limits<double>::quiet_NaN());
  const Tensor all = x.contiguous().reshape({x.numel()});
  const Tensor index = Tensor::empty({1}, DType::int64);
  device.median(index, all, 0);
  device.gather(Tensor::borrow(out.raw_data(), {1}, out.dtype()), all, index, 0);
}

Gradients<1> Median::gradient(const Saved<Median>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  return {shared_gradient(x, saved.output(), gradient, DimSet::all(x.dims()))};
}

template <class Self>
Result Arg<Self>::infer(const ArgAttributes& attributes, const Tensor& x) {
  check_defined(Self::name, x);
  const DimSet dims = dims_of(x, attributes.dim);
  check_not_empty(Self::name, x, dims);
  return {reduced_shape(x.shape(), dims, attributes.keepdim), DType::int64, x.device()};
}

template struct Arg<Argmax>;
template struct Arg<Argmin>;
template struct Arg<Argmedian>;

void Argmax::run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmax>&, const Tensor& x) {
  kernels(out.device()).argmax(out, x, attributes.dim);
}
void Argmin::run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmin>&, const Tensor& x) {
  kernels(out.device()).argmin(out, x, attributes.dim);
}
void Argmedian::run(const ArgAttributes& attributes, const Tensor& out, Aux<Argmedian>&, const Tensor& x) {
  kernels(out.device()).median(out, x, attributes.dim);
}

namespace {

template <class Op>
Tensor extreme(const Tensor& x, const Dims& over, bool keepdim) {
  check_defined(Op::name, x);
  return apply<Op>({.dims = reduced_dims(Op::name, over, x.dims()), .keepdim = keepdim}, x);
}

// The extreme of all elements under the name of the method.
template <class Op>
Tensor extreme_of_all(std::string_view method, const Tensor& x) {
  check_defined(method, x);
  check_not_empty(method, x, DimSet::all(x.dims()));
  return apply<Op>({.dims = DimSet::all(x.dims())}, x);
}

template <class Op>
Tensor arg_along(const Tensor& x, std::int64_t dim, bool keepdim) {
  check_defined(Op::name, x);
  return apply<Op>({.dim = normalize_reduced_dim(Op::name, dim, x.dims()), .keepdim = keepdim}, x);
}

// The elements that an Arg op finds, and where.
template <class Op>
ValuesIndices found_along(std::string_view method, const Tensor& x, std::int64_t dim, bool keepdim) {
  check_defined(method, x);
  const int along = normalize_reduced_dim(method, dim, x.dims());
  check_not_empty(method, x, dims_of(x, along));
  const Tensor indices = apply<Op>({.dim = along, .keepdim = true}, x);
  const Tensor values = x.gather(along, indices);
  if (keepdim || x.dims() == 0) return {values, indices};
  const Shape shape = reduced_shape(x.shape(), DimSet::of(along), false);
  return {values.reshape(shape), indices.reshape(shape)};
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::amax(const Dims& over, bool keepdim) const { return ops::extreme<ops::Amax>(*this, over, keepdim); }
Tensor Tensor::amin(const Dims& over, bool keepdim) const { return ops::extreme<ops::Amin>(*this, over, keepdim); }
Tensor Tensor::max() const { return ops::extreme_of_all<ops::Amax>("max", *this); }
Tensor Tensor::min() const { return ops::extreme_of_all<ops::Amin>("min", *this); }
Tensor Tensor::median() const { return apply<ops::Median>({}, *this); }

ValuesIndices Tensor::max(std::int64_t dim, bool keepdim) const {
  return ops::found_along<ops::Argmax>("max", *this, dim, keepdim);
}
ValuesIndices Tensor::min(std::int64_t dim, bool keepdim) const {
  return ops::found_along<ops::Argmin>("min", *this, dim, keepdim);
}
ValuesIndices Tensor::median(std::int64_t dim, bool keepdim) const {
  return ops::found_along<ops::Argmedian>("median", *this, dim, keepdim);
}

Tensor Tensor::argmax() const { return apply<ops::Argmax>({}, *this); }
Tensor Tensor::argmin() const { return apply<ops::Argmin>({}, *this); }
Tensor Tensor::argmax(std::int64_t dim, bool keepdim) const {
  return ops::arg_along<ops::Argmax>(*this, dim, keepdim);
}
Tensor Tensor::argmin(std::int64_t dim, bool keepdim) const {
  return ops::arg_along<ops::Argmin>(*this, dim, keepdim);
}

}  // namespace feral
