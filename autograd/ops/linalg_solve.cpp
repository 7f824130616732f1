#include "autograd/ops/linalg_solve.hpp"

#include "autograd/ops/linalg.hpp"
#include "autograd/ops/linalg_check.hpp"

namespace feral::ops {
namespace {

// What counts as 0 beside the largest singular value: NumPy's and PyTorch's rule.
double cutoff_of(const Tensor& a) {
  const double epsilon =
      a.dtype() == DType::float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return epsilon * static_cast<double>(std::max(rows_of(a), columns_of(a)));
}

// From d(P) = -P dA P + P Pᵀ dAᵀ (I - A P) + (I - P A) dAᵀ Pᵀ P for the pseudo-inverse P of A.
Tensor pinv_gradient(const Tensor& a, const Tensor& p, const Tensor& gradient) {
  const Tensor pt = turned(p);
  const Tensor gt = turned(gradient);
  const Tensor left = gt.matmul(p).matmul(pt);
  const Tensor right = pt.matmul(p).matmul(gt);
  return left - a.matmul(p.matmul(left)) + right - right.matmul(p).matmul(a) - pt.matmul(gradient).matmul(pt);
}

}  // namespace

Result Solve::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  check_square(name, a);
  check_system(name, a, b);
  return {b.shape(), b.dtype(), b.device()};
}

void Solve::run(const Attributes&, const Tensor& out, Aux<Solve>&, const Tensor& a, const Tensor& b) {
  check_status(name, kernels(out.device()).solve(out, a, b), a);
}

Gradients<2> Solve::gradient(const Saved<Solve>& saved, const Tensor& gradient) {
  Gradients<2> result;
  const Tensor by_b = linalg::solve(turned(saved.input(0)), gradient);
  if (saved.needs(0)) result[0] = by_b.matmul(turned(saved.output())).neg();
  if (saved.needs(1)) result[1] = by_b;
  return result;
}

Result Inv::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {a.shape(), a.dtype(), a.device()};
}

void Inv::run(const Attributes&, const Tensor& out, Aux<Inv>&, const Tensor& a) {
  check_status(name, kernels(out.device()).inverse(out, a), a);
}

Gradients<1> Inv::gradient(const Saved<Inv>& saved, const Tensor& gradient) {
  const Tensor inverse = turned(saved.output());
  return {inverse.matmul(gradient).matmul(inverse).neg()};
}

Result Det::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {batch_and(a.shape(), 2, {}), a.dtype(), a.device()};
}

void Det::run(const Attributes&, const Tensor& out, Aux<Det>&, const Tensor& a) {
  kernels(out.device()).determinant(out, a);
}

Gradients<1> Det::gradient(const Saved<Det>& saved, const Tensor& gradient) {
  return {as_matrix(gradient) * apply<Cofactors>({}, saved.input(0))};
}

Result Cofactors::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {a.shape(), a.dtype(), a.device()};
}

void Cofactors::run(const Attributes&, const Tensor& out, Aux<Cofactors>&, const Tensor& a) {
  check_status(name, kernels(out.device()).cofactors(out, a), a);
}

// From C = det(A) Y with Y = A⁻ᵀ: d(C) = C <Y, dA> - C dAᵀ Y.
Gradients<1> Cofactors::gradient(const Saved<Cofactors>& saved, const Tensor& gradient) {
  const Tensor inverse = turned(linalg::inv(saved.input(0)));
  const Tensor cofactors = saved.output();
  return {(gradient * cofactors).sum({-2, -1}, true) * inverse -
          cofactors.matmul(turned(gradient)).matmul(inverse)};
}

Result Slogdet::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {{2 * batch_and(a.shape(), 2, {}).numel()}, a.dtype(), a.device()};
}

void Slogdet::run(const Attributes&, const Tensor& out, Aux<Slogdet>&, const Tensor& a) {
  const Shape batch = batch_and(a.shape(), 2, {});
  kernels(out.device()).log_determinant(part_in_run(out, 0, batch), part_in_run(out, batch.numel(), batch), a);
}

Gradients<1> Slogdet::gradient(const Saved<Slogdet>& saved, const Tensor& gradient) {
  const Tensor& a = saved.input(0);
  const Shape batch = batch_and(a.shape(), 2, {1, 1});
  return {part_of(gradient, batch.numel(), batch) * turned(linalg::inv(a))};
}

Result Lstsq::infer(const Attributes&, const Tensor& a, const Tensor& b) {
  check_system(name, a, b);
  return {batch_and(b.shape(), 2, {columns_of(a), columns_of(b)}), b.dtype(), b.device()};
}

void Lstsq::run(const Attributes&, const Tensor& out, Aux<Lstsq>&, const Tensor& a, const Tensor& b) {
  check_status(name, kernels(out.device()).least_squares(out, a, b, cutoff_of(a)), a);
}

// The solution is pinv(a) × b.
Gradients<2> Lstsq::gradient(const Saved<Lstsq>& saved, const Tensor& gradient) {
  Gradients<2> result;
  const Tensor& a = saved.input(0);
  const Tensor inverse = linalg::pinv(a);
  if (saved.needs(0)) result[0] = pinv_gradient(a, inverse, gradient.matmul(turned(saved.input(1))));
  if (saved.needs(1)) result[1] = turned(inverse).matmul(gradient);
  return result;
}

Result Pinv::infer(const Attributes&, const Tensor& a) {
  check_matrices(name, a);
  return {batch_and(a.shape(), 2, {columns_of(a), rows_of(a)}), a.dtype(), a.device()};
}

void Pinv::run(const Attributes&, const Tensor& out, Aux<Pinv>&, const Tensor& a) {
  check_status(name, kernels(out.device()).pseudo_inverse(out, a, cutoff_of(a)), a);
}

Gradients<1> Pinv::gradient(const Saved<Pinv>& saved, const Tensor& gradient) {
  return {pinv_gradient(saved.input(0), saved.output(), gradient)};
}

}  // namespace feral::ops

namespace feral::linalg {
namespace {

// Brings a and b to one batch and b to matrices, and the solution back.
template <class Op>
Tensor solve_system(const Tensor& a, const Tensor& b) {
  ops::check_same_dtype(Op::name, a, b);
  ops::check_matrices(Op::name, a);
  const bool vectors = b.dims() == 1 || (b.dims() == a.dims() - 1 && b.shape() == ops::batch_and(a.shape(), 1, {}));
  if (b.dims() == 0) {
    fail("{}: shapes {} and {} do not fit: expected [..., m, n] and [..., m, r] or [m]", Op::name,
         a.shape().to_string(), b.shape().to_string());
  }
  const Tensor right = vectors ? ops::as_column(b) : b;
  const Shape batch_a = ops::batch_and(a.shape(), 2, {});
  const Shape batch_b = ops::batch_and(right.shape(), 2, {});
  Tensor result;
  if (batch_a == batch_b) {
    result = apply<Op>({}, a, right);
  } else {
    const Shape batch = broadcast_shapes(Op::name, batch_a, batch_b);
    result = apply<Op>({}, a.expand(ops::batch_and(batch, 0, {ops::rows_of(a), ops::columns_of(a)})),
                       right.expand(ops::batch_and(batch, 0, {ops::rows_of(right), ops::columns_of(right)})));
  }
  return vectors ? result.reshape(ops::batch_and(result.shape(), 1, {})) : result;
}

}  // namespace

Tensor solve(const Tensor& a, const Tensor& b) { return solve_system<ops::Solve>(a, b); }

Tensor inv(const Tensor& a) { return apply<ops::Inv>({}, a); }

Tensor det(const Tensor& a) { return apply<ops::Det>({}, a); }

SignLogAbsDet slogdet(const Tensor& a) {
  const Tensor packed = apply<ops::Slogdet>({}, a);
  const Shape batch = ops::batch_and(a.shape(), 2, {});
  return {ops::part_of(packed, 0, batch).detach(), ops::part_of(packed, batch.numel(), batch)};
}

Tensor lstsq(const Tensor& a, const Tensor& b) { return solve_system<ops::Lstsq>(a, b); }

Tensor pinv(const Tensor& a) { return apply<ops::Pinv>({}, a); }

}  // namespace feral::linalg
