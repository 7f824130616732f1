#include "autograd/ops/linalg_factor.hpp"

#include "autograd/ops/choice.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/linalg_check.hpp"

namespace feral::ops {
namespace {

// Where the parts of a packed result lie.
struct QrParts {
  Shape q, r;
  explicit QrParts(const Shape& a) {
    const std::int64_t m = a[a.dims() - 2];
    const std::int64_t n = a[a.dims() - 1];
    q = batch_and(a, 2, {m, std::min(m, n)});
    r = batch_and(a, 2, {std::min(m, n), n});
  }
  std::int64_t r_start() const { return q.numel(); }
  std::int64_t size() const { return q.numel() + r.numel(); }
};

struct SvdParts {
  Shape u, s, vh;
  explicit SvdParts(const Shape& a) {
    const std::int64_t m = a[a.dims() - 2];
    const std::int64_t n = a[a.dims() - 1];
    u = batch_and(a, 2, {m, std::min(m, n)});
    s = batch_and(a, 2, {std::min(m, n)});
    vh = batch_and(a, 2, {std::min(m, n), n});
  }
  std::int64_t s_start() const { return u.numel(); }
  std::int64_t vh_start() const { return u.numel() + s.numel(); }
  std::int64_t size() const { return vh_start() + vh.numel(); }
};

struct EighParts {
  Shape values, vectors;
  explicit EighParts(const Shape& a) : values(batch_and(a, 1, {})), vectors(a) {}
  std::int64_t vectors_start() const { return values.numel(); }
  std::int64_t size() const { return values.numel() + vectors.numel(); }
};

// x / y, and 0 for 0 / 0: nothing flows through vectors that nothing was asked of, even where their values are
// equal.
Tensor quotient(const Tensor& x, const Tensor& y) {
  const Tensor nothing = x.eq(0).mul(y.eq(0));
  return x / where(nothing, Tensor::ones({}, y.dtype()), y);
}

// The differences v_j - v_i of vectors [..., n] as matrices.
Tensor differences(const Tensor& v) { return as_row(v) - as_column(v); }

// The elements of square matrices on and below a diagonal, counted from the main one upwards; the rest 0.
Tensor lower(const Tensor& x, std::int64_t diagonal = 0) {
  const std::int64_t n = columns_of(x);
  const Tensor mask = Tensor::empty({n, n}, DType::boolean);
  for (std::int64_t i = 0; i < n * n; ++i) mask.data<bool>()[i] = i % n <= i / n + diagonal;
  return where(mask, x, Tensor::zeros({}, x.dtype()));
}
Tensor upper(const Tensor& x) { return turned(lower(turned(x))); }

// x × a⁻¹
Tensor solve_right(const Tensor& x, const Tensor& a) { return turned(linalg::solve(turned(a), turned(x))); }

}  // namespace

Result Cholesky::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {a.shape(), a.dtype(), a.device()};
}

void Cholesky::run(const Attributes&, const Tensor& out, Aux<Cholesky>&, const Tensor& a) {
  check_status(name, kernels(out.device()).cholesky(out, a), a);
}

// The symmetric part of L⁻ᵀ Φ(Lᵀ Ḡ) L⁻¹, where Φ takes the lower triangle and half of the diagonal.
Gradients<1> Cholesky::gradient(const Saved<Cholesky>& saved, const Tensor& gradient) {
  const Tensor l = saved.output();
  const Tensor product = turned(l).matmul(lower(gradient));
  const Tensor phi = (lower(product) + lower(product, -1)) * 0.5;
  const Tensor by_a = solve_right(linalg::solve(turned(l), phi), l);
  return {(by_a + turned(by_a)) * 0.5};
}

Result Qr::infer(const Attributes&, const Tensor& a) {
  check_matrices(name, a);
  return {{QrParts(a.shape()).size()}, a.dtype(), a.device()};
}

void Qr::run(const Attributes&, const Tensor& out, Aux<Qr>&, const Tensor& a) {
  const QrParts parts(a.shape());
  kernels(out.device()).qr(part_in_run(out, 0, parts.q), part_in_run(out, parts.r_start(), parts.r), a);
}

// (Q̄ + Q copyltu(M)) R⁻ᵀ with M = R R̄ᵀ - Q̄ᵀ Q, whose lower triangle copyltu mirrors to the upper one.
Gradients<1> Qr::gradient(const Saved<Qr>& saved, const Tensor& gradient) {
  const Shape& shape = saved.input_shape(0);
  if (shape[shape.dims() - 2] < shape[shape.dims() - 1]) {
    fail("qr: no gradient for more columns than rows, shape {}", shape.to_string());
  }
  const QrParts parts(shape);
  const Tensor packed = saved.output();
  const Tensor q = part_of(packed, 0, parts.q);
  const Tensor r = part_of(packed, parts.r_start(), parts.r);
  const Tensor by_q = part_of(gradient, 0, parts.q);
  const Tensor by_r = upper(part_of(gradient, parts.r_start(), parts.r));
  const Tensor m = r.matmul(turned(by_r)) - turned(by_q).matmul(q);
  const Tensor mirrored = lower(m) + turned(lower(m, -1));
  return {solve_right(by_q + q.matmul(mirrored), turned(r))};
}

Result Svd::infer(const Attributes&, const Tensor& a) {
  check_matrices(name, a);
  return {{SvdParts(a.shape()).size()}, a.dtype(), a.device()};
}

void Svd::run(const Attributes&, const Tensor& out, Aux<Svd>&, const Tensor& a) {
  const SvdParts parts(a.shape());
  check_status(name,
               kernels(out.device())
                   .svd(part_in_run(out, 0, parts.u), part_in_run(out, parts.s_start(), parts.s),
                        part_in_run(out, parts.vh_start(), parts.vh), a),
               a);
}

// U ((F ∘ (Uᵀ Ū - Ūᵀ U)) S + S (F ∘ (Vᵀ V̄ - V̄ᵀ V)) + diag(s̄)) Vᵀ with F_ij = 1 / (s_j² - s_i²), plus
// (I - U Uᵀ) Ū S⁻¹ Vᵀ and U S⁻¹ V̄ᵀ (I - V Vᵀ).
Gradients<1> Svd::gradient(const Saved<Svd>& saved, const Tensor& gradient) {
  const SvdParts parts(saved.input_shape(0));
  const Tensor packed = saved.output();
  const Tensor u = part_of(packed, 0, parts.u);
  const Tensor s = part_of(packed, parts.s_start(), parts.s);
  const Tensor vh = part_of(packed, parts.vh_start(), parts.vh);
  const Tensor by_u = part_of(gradient, 0, parts.u);
  const Tensor by_s = part_of(gradient, parts.s_start(), parts.s);
  const Tensor by_vh = part_of(gradient, parts.vh_start(), parts.vh);

  const Tensor gaps = differences(s.square());
  const Tensor turn_u = turned(u).matmul(by_u);
  const Tensor turn_v = vh.matmul(turned(by_vh));
  const Tensor inner =
      quotient(turn_u - turned(turn_u), gaps) * as_row(s) + as_column(s) * quotient(turn_v - turned(turn_v), gaps);
  Tensor result = (u.matmul(inner) + u * as_row(by_s)).matmul(vh);
  if (rows_of(u) > columns_of(u)) {
    const Tensor outside = quotient(by_u - u.matmul(turn_u), as_row(s));
    result = result + outside.matmul(vh);
  }
  if (columns_of(vh) > rows_of(vh)) {
    const Tensor outside = quotient(by_vh - turned(turn_v).matmul(vh), as_column(s));
    result = result + u.matmul(outside);
  }
  return {result};
}

Result Eigh::infer(const Attributes&, const Tensor& a) {
  check_square(name, a);
  return {{EighParts(a.shape()).size()}, a.dtype(), a.device()};
}

void Eigh::run(const Attributes&, const Tensor& out, Aux<Eigh>&, const Tensor& a) {
  const EighParts parts(a.shape());
  check_status(
      name,
      kernels(out.device())
          .eigh(part_in_run(out, 0, parts.values), part_in_run(out, parts.vectors_start(), parts.vectors), a),
      a);
}

// V (diag(w̄) + F ∘ (Vᵀ V̄)) Vᵀ with F_ij = 1 / (w_j - w_i), made symmetric.
Gradients<1> Eigh::gradient(const Saved<Eigh>& saved, const Tensor& gradient) {
  const EighParts parts(saved.input_shape(0));
  const Tensor packed = saved.output();
  const Tensor values = part_of(packed, 0, parts.values);
  const Tensor vectors = part_of(packed, parts.vectors_start(), parts.vectors);
  const Tensor by_values = part_of(gradient, 0, parts.values);
  const Tensor by_vectors = part_of(gradient, parts.vectors_start(), parts.vectors);
  const Tensor turn = turned(vectors).matmul(by_vectors);
  const Tensor inner = quotient((turn - turned(turn)) * 0.5, differences(values));
  return {(vectors.matmul(inner) + vectors * as_row(by_values)).matmul(turned(vectors))};
}

}  // namespace feral::ops

namespace feral::linalg {

Tensor cholesky(const Tensor& a) { return apply<ops::Cholesky>({}, a); }

QR qr(const Tensor& a) {
  const Tensor packed = apply<ops::Qr>({}, a);
  const ops::QrParts parts(a.shape());
  return {ops::part_of(packed, 0, parts.q), ops::part_of(packed, parts.r_start(), parts.r)};
}

SVD svd(const Tensor& a) {
  const Tensor packed = apply<ops::Svd>({}, a);
  const ops::SvdParts parts(a.shape());
  return {ops::part_of(packed, 0, parts.u), ops::part_of(packed, parts.s_start(), parts.s),
          ops::part_of(packed, parts.vh_start(), parts.vh)};
}

Eigh eigh(const Tensor& a) {
  const Tensor packed = apply<ops::Eigh>({}, a);
  const ops::EighParts parts(a.shape());
  return {ops::part_of(packed, 0, parts.values), ops::part_of(packed, parts.vectors_start(), parts.vectors)};
}

}  // namespace feral::linalg
