#include "autograd/ops/scan.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/view.hpp"
#include "tensor/dim_set.hpp"

namespace feral::ops {
namespace {

Result scan_result(std::string_view op, const Scan& attributes, const Tensor& x) {
  check_defined(op, x);
  (void)normalize_reduced_dim(op, attributes.dim, x.dims());
  if (is_half(x.dtype())) fail("{}: {} is for storage; convert with to()", op, name_of(x.dtype()));
  return {x.shape(), is_floating(x.dtype()) ? x.dtype() : DType::int64, x.device()};
}

}  // namespace

Tensor shifted(const Tensor& x, int dim, bool reverse) {
  const std::int64_t length = x.shape()[dim];
  if (length == 0) return x;
  return apply<NarrowBackward>({.shape = x.shape(), .dim = dim, .start = reverse ? 0 : 1},
                               x.narrow(dim, reverse ? 1 : 0, length - 1));
}

Tensor first_one(const Tensor& x, int dim, bool reverse) {
  Shape shape = x.shape();
  for (int i = 0; i < shape.dims(); ++i) {
    if (i != dim) shape[i] = 1;
  }
  const Tensor result = Tensor::zeros(shape, x.dtype());
  if (shape[dim] > 0) result.narrow(dim, reverse ? shape[dim] - 1 : 0, 1).fill_(1);
  return result;
}

Result Cumsum::infer(const Scan& attributes, const Tensor& x) { return scan_result(name, attributes, x); }

void Cumsum::run(const Scan& attributes, const Tensor& out, Aux<Cumsum>&, const Tensor& x) {
  kernels(out.device()).scan(ScanKernel::sum, out, x, attributes.dim, attributes.reverse);
}

Gradients<1> Cumsum::gradient(const Saved<Cumsum>& saved, const Tensor& gradient) {
  return {apply<Cumsum>({.dim = saved.attributes().dim, .reverse = !saved.attributes().reverse}, gradient)};
}

Result Cumprod::infer(const Scan& attributes, const Tensor& x) { return scan_result(name, attributes, x); }

void Cumprod::run(const Scan& attributes, const Tensor& out, Aux<Cumprod>&, const Tensor& x) {
  kernels(out.device()).scan(ScanKernel::prod, out, x, attributes.dim, attributes.reverse);
}

Gradients<1> Cumprod::gradient(const Saved<Cumprod>& saved, const Tensor& gradient) {
  // d y[k] / d x[i] is the product of all x[j <= k] but x[i]: what comes before i, times a sum over k >= i of
  // gradient[k] x[i + 1] … x[k], which is a recurrence from the end. Nothing is divided: zeros are no exception.
  const auto [dim, reverse] = saved.attributes();
  const Tensor& x = saved.input(0);
  if (x.dims() == 0) return {gradient};
  const Tensor before = shifted(saved.output(), dim, reverse) + first_one(x, dim, reverse);
  const Tensor after = apply<Recurrence>({.dim = dim, .reverse = !reverse}, shifted(x, dim, !reverse), gradient);
  return {before * after};
}

Result Recurrence::infer(const Scan& attributes, const Tensor& a, const Tensor& b) {
  check_floating(name, a);
  check_same_dtype(name, a, b);
  (void)normalize_dim(name, attributes.dim, a.dims());
  if (!(a.shape() == b.shape())) {
    fail("{}: shapes {} and {} differ", name, a.shape().to_string(), b.shape().to_string());
  }
  return {a.shape(), a.dtype(), a.device()};
}

void Recurrence::run(const Scan& attributes, const Tensor& out, Aux<Recurrence>&, const Tensor& a,
                     const Tensor& b) {
  const NoGradGuard no_grad;
  kernels(out.device()).recurrence(out, a.contiguous(), b.contiguous(), attributes.dim, attributes.reverse);
}

Gradients<2> Recurrence::gradient(const Saved<Recurrence>& saved, const Tensor& gradient) {
  // The same recurrence the other way round.
  const auto [dim, reverse] = saved.attributes();
  const Tensor by_b =
      apply<Recurrence>({.dim = dim, .reverse = !reverse}, shifted(saved.input(0), dim, !reverse), gradient);
  Gradients<2> result;
  if (saved.needs(0)) result[0] = by_b * shifted(saved.output(), dim, reverse);
  if (saved.needs(1)) result[1] = by_b;
  return result;
}

namespace {

// 16-bit floats are computed as float32 and come back.
template <class Op>
Tensor scan_along(const Tensor& x, std::int64_t dim) {
  check_defined(Op::name, x);
  const int normalized = normalize_reduced_dim(Op::name, dim, x.dims());
  if (!is_half(x.dtype())) return apply<Op>({.dim = normalized}, x);
  return apply<Op>({.dim = normalized}, x.to(DType::float32)).to(x.dtype());
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor Tensor::cumsum(std::int64_t dim) const { return ops::scan_along<ops::Cumsum>(*this, dim); }
Tensor Tensor::cumprod(std::int64_t dim) const { return ops::scan_along<ops::Cumprod>(*this, dim); }

}  // namespace feral
