#include "autograd/ops/reduction.hpp"

#include "autograd/ops/scan.hpp"

namespace feral::ops {
namespace {

Result reduction_result(std::string_view op, const Reduction& attributes, const Tensor& x, DType dtype) {
  check_defined(op, x);
  return {reduced_shape(x.shape(), attributes.dims, attributes.keepdim), dtype, x.device()};
}

// Of floats their own, of integers and bool int64.
DType sum_type(DType dtype) { return is_floating(dtype) ? dtype : DType::int64; }

// The product of all other elements along `dim`.
Tensor product_of_others(const Tensor& x, int dim) {
  const Tensor before = shifted(apply<Cumprod>({.dim = dim, .reverse = false}, x), dim, false);
  const Tensor after = shifted(apply<Cumprod>({.dim = dim, .reverse = true}, x), dim, true);
  return (before + first_one(x, dim, false)) * (after + first_one(x, dim, true));
}

}  // namespace

Result Sum::infer(const Reduction& attributes, const Tensor& x) {
  check_defined(name, x);
  return reduction_result(name, attributes, x, sum_type(x.dtype()));
}

Gradients<1> Sum::gradient(const Saved<Sum>& saved, const Tensor& gradient) {
  const Shape& shape = saved.input_shape(0);
  return {with_reduced_dims(gradient, shape, saved.attributes().dims).expand(shape)};
}

Result Prod::infer(const Reduction& attributes, const Tensor& x) {
  check_defined(name, x);
  return reduction_result(name, attributes, x, sum_type(x.dtype()));
}

Gradients<1> Prod::gradient(const Saved<Prod>& saved, const Tensor& gradient) {
  // Without a division, so that zeros are no exception.
  const Tensor& x = saved.input(0);
  const DimSet dims = saved.attributes().dims;
  const Tensor kept = with_reduced_dims(gradient, x.shape(), dims);
  if (x.numel() == 0) return {kept.expand(x.shape())};

  // The reduced dimensions are brought to the end by swaps and seen as one.
  int order[Shape::max_dims];
  int last = 0;
  for (int i = 0; i < x.dims(); ++i) {
    if (!dims.contains(i)) order[last++] = i;
  }
  const int left = last;
  for (int i = 0; i < x.dims(); ++i) {
    if (dims.contains(i)) order[last++] = i;
  }
  int place[Shape::max_dims];  // the dimension that stands at i now
  for (int i = 0; i < x.dims(); ++i) place[i] = i;
  int swapped_with[Shape::max_dims] = {};
  Tensor turned = x;
  for (int i = 0; i < x.dims(); ++i) {
    int from = i;
    while (place[from] != order[i]) ++from;
    std::swap(place[i], place[from]);
    swapped_with[i] = from;
    if (from != i) turned = turned.transpose(i, from);
  }
  Shape flat;
  for (int i = 0; i < left; ++i) flat.push_back(turned.shape()[i]);
  flat.push_back(reduced_count(x.shape(), dims));
  Tensor others = product_of_others(turned.reshape(flat), left).reshape(turned.shape());
  for (int i = x.dims() - 1; i >= 0; --i) {
    if (swapped_with[i] != i) others = others.transpose(i, swapped_with[i]);
  }
  return {kept * others};
}

Result Mean::infer(const Reduction& attributes, const Tensor& x) {
  check_defined(name, x);
  if (!is_floating(x.dtype())) fail("{}: expected a float, got {}; convert with to()", name, name_of(x.dtype()));
  return reduction_result(name, attributes, x, x.dtype());
}

Gradients<1> Mean::gradient(const Saved<Mean>& saved, const Tensor& gradient) {
  const Shape& shape = saved.input_shape(0);
  const auto count = static_cast<double>(reduced_count(shape, saved.attributes().dims));
  return {with_reduced_dims(gradient.affine(1 / count, 0), shape, saved.attributes().dims).expand(shape)};
}

Result Any::infer(const Reduction& attributes, const Tensor& x) {
  return reduction_result(name, attributes, x, DType::boolean);
}

Result All::infer(const Reduction& attributes, const Tensor& x) {
  return reduction_result(name, attributes, x, DType::boolean);
}

Result CountNonzero::infer(const Reduction& attributes, const Tensor& x) {
  return reduction_result(name, attributes, x, DType::int64);
}

Result SumTo::infer(const Attributes& attributes, const Tensor& x) {
  check_floating(name, x);
  if (!(broadcast_shapes(name, attributes.shape, x.shape()) == x.shape())) {
    fail("{}: shape {} does not broadcast to {}", name, attributes.shape.to_string(), x.shape().to_string());
  }
  return {attributes.shape, x.dtype(), x.device()};
}

void SumTo::run(const Attributes&, const Tensor& out, Aux<SumTo>&, const Tensor& x) {
  kernels(out.device()).sum_to(out, x);
}

Gradients<1> SumTo::gradient(const Saved<SumTo>& saved, const Tensor& gradient) {
  return {gradient.expand(saved.input_shape(0))};
}

namespace {

// Op over the named dimensions, over all without names.
template <class Op>
Tensor reduce_named(const Tensor& x, const Dims& dims, bool keepdim) {
  check_defined(Op::name, x);
  return apply<Op>({.dims = reduced_dims(Op::name, dims, x.dims()), .keepdim = keepdim}, x);
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::sum_to(const Shape& target) const {
  ops::check_defined("sum_to", *this);
  if (shape() == target) return *this;
  return apply<ops::SumTo>({.shape = target}, *this);
}

Tensor Tensor::sum() const { return sum(Dims()); }
Tensor Tensor::sum(const Dims& dims_to_sum, bool keepdim) const {
  return ops::reduce_named<ops::Sum>(*this, dims_to_sum, keepdim);
}

Tensor Tensor::mean() const { return mean(Dims()); }
Tensor Tensor::mean(const Dims& over, bool keepdim) const {
  ops::check_defined("mean", *this);
  return ops::reduce_named<ops::Mean>(is_floating(dtype()) ? *this : to(DType::float32), over, keepdim);
}

Tensor Tensor::prod() const { return prod(Dims()); }
Tensor Tensor::prod(const Dims& over, bool keepdim) const {
  return ops::reduce_named<ops::Prod>(*this, over, keepdim);
}

Tensor Tensor::any() const { return any(Dims()); }
Tensor Tensor::any(const Dims& over, bool keepdim) const {
  return ops::reduce_named<ops::Any>(*this, over, keepdim);
}
Tensor Tensor::all() const { return all(Dims()); }
Tensor Tensor::all(const Dims& over, bool keepdim) const {
  return ops::reduce_named<ops::All>(*this, over, keepdim);
}
Tensor Tensor::count_nonzero() const { return count_nonzero(Dims()); }
Tensor Tensor::count_nonzero(const Dims& over) const {
  return ops::reduce_named<ops::CountNonzero>(*this, over, false);
}

}  // namespace feral
