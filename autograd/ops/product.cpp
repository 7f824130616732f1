#include "autograd/ops/product.hpp"

#include <algorithm>
#include <limits>

#include "autograd/ops/check.hpp"
#include "autograd/ops/matrices.hpp"
#include "autograd/ops/view.hpp"

namespace feral::ops {
namespace {

// `x` with the dimensions before its last `kept` ones as one.
Tensor merged(const Tensor& x, int kept) {
  std::int64_t first = 1;
  for (int i = 0; i < x.dims() - kept; ++i) first *= x.shape()[i];
  Shape shape{first};
  for (int i = x.dims() - kept; i < x.dims(); ++i) shape.push_back(x.shape()[i]);
  return x.reshape(shape);
}

}  // namespace

Result product_result(std::string_view op, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, a, b);
  if (is_half(a.dtype()) || a.dtype() == DType::boolean) {
    fail("{}: {} has no products; convert with to()", op, name_of(a.dtype()));
  }
  if (a.dims() < 2 || b.dims() < 2 || a.shape()[a.dims() - 1] != b.shape()[b.dims() - 2]) {
    fail("{}: shapes {} and {} do not multiply: expected [m, k] and [k, n]", op, a.shape().to_string(),
         b.shape().to_string());
  }
  const std::int64_t m = a.shape()[a.dims() - 2];
  const std::int64_t n = b.shape()[b.dims() - 1];
  // What BLAS counts in.
  if (std::max({m, n, a.shape()[a.dims() - 1]}) > std::numeric_limits<int>::max()) {
    fail("{}: shapes {} and {}: a matrix has more than {} rows or columns", op, a.shape().to_string(),
         b.shape().to_string(), std::numeric_limits<int>::max());
  }
  Result result{{}, a.dtype(), a.device()};
  if (a.dims() > 2 || b.dims() > 2)
    result.shape = broadcast_shapes(op, batch_and(a.shape(), 2, {}), batch_and(b.shape(), 2, {}));
  result.shape.push_back(m);
  result.shape.push_back(n);
  return result;
}

Result Matmul::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  const Result result = product_result(name, a, b);
  if (result.shape.dims() != 2) {
    fail("{}: shapes {} and {} are no matrices", name, a.shape().to_string(), b.shape().to_string());
  }
  return result;
}

void Matmul::run(const Attributes&, const Tensor& out, Aux<Matmul>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).matmul(out, a, b, false);
}

Gradients<2> Matmul::gradient(const Saved<Matmul>& saved, const Tensor& gradient) {
  Gradients<2> result;
  if (saved.needs(0)) result[0] = gradient.matmul(turned(saved.input(1)));
  if (saved.needs(1)) result[1] = turned(saved.input(0)).matmul(gradient);
  return result;
}

Result Bmm::infer(const Attributes&, const Tensor& a, const Tensor& b) { return product_result(name, a, b); }

void Bmm::run(const Attributes&, const Tensor& out, Aux<Bmm>&, const Tensor& a, const Tensor& b) {
  kernels(out.device()).bmm(out, a, b);
}

Gradients<2> Bmm::gradient(const Saved<Bmm>& saved, const Tensor& gradient) {
  Gradients<2> result;
  const Tensor& a = saved.input(0);
  const Tensor& b = saved.input(1);
  if (saved.needs(0)) result[0] = gradient.matmul(turned(b)).sum_to(a.shape());
  if (saved.needs(1) && b.dims() == 2 && gradient.dims() == a.dims()) {
    // One b for all of a: one tall product instead of a sum of many.
    result[1] = turned(merged(a, 1)).matmul(merged(gradient, 1));
  } else if (saved.needs(1)) {
    result[1] = turned(a).matmul(gradient).sum_to(b.shape());
  }
  return result;
}

Result Linear::infer(const Attributes&, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating(name, x);
  check_same_dtype(name, x, weight);
  if (x.dims() != 2 || weight.dims() != 2 || x.shape()[1] != weight.shape()[1]) {
    fail("{}: input {} does not fit weight {}: expected [n, in] and [out, in]", name, x.shape().to_string(),
         weight.shape().to_string());
  }
  if (bias.defined()) {
    check_same_dtype(name, x, bias);
    if (!(bias.shape() == Shape{weight.shape()[0]}) || !bias.is_contiguous()) {
      fail("{}: bias {} does not fit weight {}: expected [out]", name, bias.shape().to_string(),
           weight.shape().to_string());
    }
  }
  return {{x.shape()[0], weight.shape()[0]}, x.dtype(), x.device()};
}

void Linear::run(const Attributes&, const Tensor& out, Aux<Linear>&, const Tensor& x, const Tensor& weight,
                 const Tensor& bias) {
  const Kernels& device = kernels(out.device());
  if (bias.defined()) device.fill_rows(out, bias);
  device.matmul(out, x, Transpose::view({.dim0 = 0, .dim1 = 1}, weight), bias.defined());
}

Gradients<3> Linear::gradient(const Saved<Linear>& saved, const Tensor& gradient) {
  Gradients<3> result;
  if (saved.needs(0)) result[0] = gradient.matmul(saved.input(1));
  if (saved.needs(1)) result[1] = gradient.transpose(0, 1).matmul(saved.input(0));
  if (saved.needs(2)) result[2] = gradient.sum({0});
  return result;
}

}  // namespace feral::ops

namespace feral {
namespace {

// Once the shapes have been checked; a half type is computed as float32.
Tensor product(const Tensor& a, const Tensor& b) {
  if (is_half(a.dtype()) && a.dtype() == b.dtype()) {
    return product(a.to(DType::float32), b.to(DType::float32)).to(a.dtype());
  }
  return a.dims() == 2 && b.dims() == 2 ? apply<ops::Matmul>({}, a, b) : apply<ops::Bmm>({}, a, b);
}

[[noreturn]] void fail_shapes(std::string_view op, const Tensor& a, const Tensor& b, std::string_view expected) {
  fail("{}: shapes {} and {} do not multiply: expected {}", op, a.shape().to_string(), b.shape().to_string(),
       expected);
}

void check_types(std::string_view op, const Tensor& a, const Tensor& b) {
  ops::check_same_dtype(op, a, b);
  if (a.dtype() == DType::boolean) fail("{}: bool has no products; convert with to()", op);
}

}  // namespace

Tensor Tensor::matmul(const Tensor& other) const {
  check_types("matmul", *this, other);
  if (is_half(dtype())) return to(DType::float32).matmul(other.to(DType::float32)).to(dtype());
  if (dims() == 2 && other.dims() == 2) return product(*this, other);
  if (dims() == 0 || other.dims() == 0) {
    fail_shapes("matmul", *this, other, "at least one dimension each");
  }
  const bool row = dims() == 1;
  const bool column = other.dims() == 1;
  const Tensor a = row ? reshape({1, shape()[0]}) : *this;
  const Tensor b = column ? other.reshape({other.shape()[0], 1}) : other;
  if (a.shape()[a.dims() - 1] != b.shape()[b.dims() - 2]) {
    fail_shapes("matmul", *this, other, "[..., m, k] or [k], and [..., k, n] or [k]");
  }
  (void)ops::product_result("matmul", a, b);
  const Tensor result = product(a, b);
  if (!row && !column) return result;
  Shape kept;
  for (int i = 0; i < result.dims() - 2; ++i) kept.push_back(result.shape()[i]);
  if (!row) kept.push_back(result.shape()[result.dims() - 2]);
  if (!column) kept.push_back(result.shape()[result.dims() - 1]);
  return result.reshape(kept);
}

Tensor Tensor::mm(const Tensor& other) const {
  check_types("mm", *this, other);
  if (dims() != 2 || other.dims() != 2 || shape()[1] != other.shape()[0]) {
    fail_shapes("mm", *this, other, "[m, k] and [k, n]");
  }
  return product(*this, other);
}

Tensor Tensor::bmm(const Tensor& other) const {
  check_types("bmm", *this, other);
  if (dims() != 3 || other.dims() != 3 || shape()[0] != other.shape()[0] || shape()[2] != other.shape()[1]) {
    fail_shapes("bmm", *this, other, "[b, m, k] and [b, k, n]");
  }
  return product(*this, other);
}

Tensor Tensor::mv(const Tensor& other) const {
  check_types("mv", *this, other);
  if (dims() != 2 || other.dims() != 1 || shape()[1] != other.shape()[0]) {
    fail_shapes("mv", *this, other, "[m, k] and [k]");
  }
  return product(*this, other.reshape({shape()[1], 1})).reshape({shape()[0]});
}

Tensor Tensor::dot(const Tensor& other) const {
  check_types("dot", *this, other);
  if (dims() != 1 || other.dims() != 1 || shape()[0] != other.shape()[0]) {
    fail_shapes("dot", *this, other, "[k] and [k]");
  }
  return product(reshape({1, shape()[0]}), other.reshape({shape()[0], 1})).reshape(Shape{});
}

Tensor Tensor::outer(const Tensor& other) const {
  ops::check_defined("outer", *this);
  ops::check_defined("outer", other);
  if (dims() != 1 || other.dims() != 1) fail_shapes("outer", *this, other, "[m] and [n]");
  return reshape({shape()[0], 1}).mul(other.reshape({1, other.shape()[0]}));
}

Tensor Tensor::kron(const Tensor& other) const {
  ops::check_defined("kron", *this);
  ops::check_defined("kron", other);
  const int rank = std::max(dims(), other.dims());
  if (2 * rank > Shape::max_dims) {
    fail("kron: shapes {} and {} have more than {} dimensions", shape().to_string(), other.shape().to_string(),
         Shape::max_dims / 2);
  }
  // Every dimension twice: [a0, 1, a1, 1, …] × [1, b0, 1, b1, …], then pairs merged.
  Shape left, right, merged;
  for (int i = 0; i < rank; ++i) {
    const int of_left = i - (rank - dims());
    const int of_right = i - (rank - other.dims());
    const std::int64_t outer = of_left < 0 ? 1 : shape()[of_left];
    const std::int64_t inner = of_right < 0 ? 1 : other.shape()[of_right];
    left.push_back(outer);
    left.push_back(1);
    right.push_back(1);
    right.push_back(inner);
    merged.push_back(outer * inner);
  }
  return reshape(left).mul(other.reshape(right)).reshape(merged);
}

Tensor Tensor::trace() const {
  ops::check_dims("trace", "the input", *this, 2);
  return diagonal().sum();
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (bias.defined() && !bias.is_contiguous()) return linear(x, weight, bias.contiguous());
  if (x.defined() && weight.defined() && is_half(x.dtype()) && weight.dtype() == x.dtype() &&
      (!bias.defined() || bias.dtype() == x.dtype())) {
    return linear(x.to(DType::float32), weight.to(DType::float32), bias.defined() ? bias.to(DType::float32) : bias)
        .to(x.dtype());
  }
  if (!x.defined() || x.dims() == 2) return apply<ops::Linear>({}, x, weight, bias);
  if (x.dims() == 0 || !weight.defined() || weight.dims() != 2 || x.shape()[x.dims() - 1] != weight.shape()[1]) {
    ops::check_defined("linear", weight);
    fail("linear: input {} does not fit weight {}: expected [..., in] and [out, in]", x.shape().to_string(),
         weight.shape().to_string());
  }
  Shape result = x.shape();
  result[x.dims() - 1] = weight.shape()[0];
  return apply<ops::Linear>({}, ops::merged(x, 1), weight, bias).reshape(result);
}

}  // namespace feral
