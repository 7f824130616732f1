#include "autograd/ops/sorting.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/index_check.hpp"
#include "tensor/kernels.hpp"
#include "tensor/promotion.hpp"

namespace feral::ops {

Result Argsort::infer(const Attributes&, const Tensor& x) {
  check_defined(name, x);
  return {x.shape(), DType::int64, x.device()};
}

void Argsort::run(const Attributes& attributes, const Tensor& out, Aux<Argsort>&, const Tensor& x) {
  kernels(out.device()).argsort(out, x, attributes.dim, attributes.descending);
}

Result Topk::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  Shape shape = x.shape();
  std::int64_t& size = shape[attributes.dim];
  if (attributes.k < 0 || attributes.k > size) {
    fail("{}: k = {} of the {} elements along dimension {} of {}", name, attributes.k, size, attributes.dim,
         shape.to_string());
  }
  size = attributes.k;
  return {shape, DType::int64, x.device()};
}

void Topk::run(const Attributes& attributes, const Tensor& out, Aux<Topk>&, const Tensor& x) {
  kernels(out.device()).topk(out, x, attributes.dim, attributes.largest);
}

Result Kthvalue::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  Shape shape = x.shape();
  std::int64_t& size = shape[attributes.dim];
  if (attributes.k < 1 || attributes.k > size) {
    fail("{}: k = {} of the {} elements along dimension {} of {}; the smallest is number 1", name, attributes.k,
         size, attributes.dim, shape.to_string());
  }
  size = 1;
  return {shape, DType::int64, x.device()};
}

void Kthvalue::run(const Attributes& attributes, const Tensor& out, Aux<Kthvalue>&, const Tensor& x) {
  kernels(out.device()).kthvalue(out, x, attributes.dim, attributes.k - 1);
}

Result Unique::infer(const Attributes&, const Tensor& x) {
  check_defined(name, x);
  return {{3 * x.numel() + 1}, DType::int64, x.device()};
}

void Unique::run(const Attributes&, const Tensor& out, Aux<Unique>&, const Tensor& x) {
  kernels(out.device()).unique(out, x);
}

Result Searchsorted::infer(const Attributes&, const Tensor& sorted, const Tensor& values) {
  check_same_dtype(name, sorted, values);
  if (sorted.dims() == 0) fail("{}: the sorted row must have a dimension", name);
  bool fits = sorted.dims() == 1 || sorted.dims() == values.dims();
  for (int i = 0; fits && i < sorted.dims() - 1; ++i) fits = sorted.shape()[i] == values.shape()[i];
  if (!fits) {
    fail("{}: the sorted rows' shape {} and the values' {} must agree but for the last dimension", name,
         sorted.shape().to_string(), values.shape().to_string());
  }
  return {values.shape(), DType::int64, values.device()};
}

void Searchsorted::run(const Attributes& attributes, const Tensor& out, Aux<Searchsorted>&, const Tensor& sorted,
                       const Tensor& values) {
  kernels(out.device()).searchsorted(out, sorted, values, attributes.right);
}

namespace {

// Positions and what stands there, along `dim`.
ValuesIndices taken(const Tensor& x, int dim, const Tensor& indices) { return {x.gather(dim, indices), indices}; }

ValuesIndices reshaped(const ValuesIndices& found, const Shape& shape) {
  return {found.values.reshape(shape), found.indices.reshape(shape)};
}

}  // namespace
}  // namespace feral::ops

namespace feral {

ValuesIndices Tensor::sort(std::int64_t dim, bool descending) const {
  ops::check_defined("sort", *this);
  const Tensor x = ops::at_least_1d(*this);
  const int along = normalize_dim("sort", dim, x.dims());
  const ValuesIndices found =
      ops::taken(x, along, apply<ops::Argsort>({.dim = along, .descending = descending}, x));
  return dims() == 0 ? ops::reshaped(found, shape()) : found;
}

Tensor Tensor::argsort(std::int64_t dim, bool descending) const {
  ops::check_defined("argsort", *this);
  const Tensor x = ops::at_least_1d(*this);
  const int along = normalize_dim("argsort", dim, x.dims());
  return apply<ops::Argsort>({.dim = along, .descending = descending}, x).reshape(shape());
}

ValuesIndices Tensor::topk(std::int64_t k, std::int64_t dim, bool largest) const {
  ops::check_defined("topk", *this);
  const Tensor x = ops::at_least_1d(*this);
  const int along = normalize_dim("topk", dim, x.dims());
  // PyTorch's: a number has no k to choose, 0 and 1 both give it.
  const std::int64_t count = dims() == 0 && k == 0 ? 1 : k;
  const ValuesIndices found =
      ops::taken(x, along, apply<ops::Topk>({.k = count, .dim = along, .largest = largest}, x));
  return dims() == 0 ? ops::reshaped(found, shape()) : found;
}

ValuesIndices Tensor::kthvalue(std::int64_t k, std::int64_t dim, bool keepdim) const {
  ops::check_defined("kthvalue", *this);
  const Tensor x = ops::at_least_1d(*this);
  const int along = normalize_dim("kthvalue", dim, x.dims());
  const ValuesIndices found = ops::taken(x, along, apply<ops::Kthvalue>({.k = k, .dim = along}, x));
  if (keepdim && dims() > 0) return found;
  Shape dropped;
  for (int i = 0; i < dims(); ++i) {
    if (i != along) dropped.push_back(shape()[i]);
  }
  return ops::reshaped(found, dropped);
}

UniqueResult Tensor::unique() const {
  const Tensor packed = apply<ops::Unique>({}, *this);
  const std::int64_t n = numel();
  const std::int64_t groups = packed.data<std::int64_t>()[3 * n];
  // Copies: a few values must not keep the whole of `packed` alive.
  return {.values = reshape({n}).gather(0, packed.narrow(0, n, groups)),
          .inverse = packed.narrow(0, 0, n).clone().reshape(shape()),
          .counts = packed.narrow(0, 2 * n, groups).clone()};
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  ops::check_defined("searchsorted", sorted);
  ops::check_defined("searchsorted", values);
  const DType common = promote(sorted.dtype(), values.dtype());
  const Tensor rows = ops::at_least_1d(values.to(common));
  return apply<ops::Searchsorted>({.right = right}, sorted.to(common), rows).reshape(values.shape());
}

}  // namespace feral
