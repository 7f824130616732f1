// Linear algebra: solvers and decompositions of float32 and float64 matrices, alone [m, n] or in batches
// [..., m, n]. Every function is differentiable, twice and more. Errors name the function, the shape or type, and
// for a matrix that has no answer its place in the batch. Computed by LAPACK (OpenBLAS's).
//
// Matrices with an infinity or NaN: solve, inv, det, slogdet, qr and lstsq give NaN for that matrix (slogdet: sign
// 0), the others an error. Empty matrices and empty batches give empty results (det 1).
#pragma once

#include "tensor/tensor.hpp"

namespace feral::linalg {

// X with a × X = b for a [..., n, n]. b is [..., n, r], or [..., n] for one right side each: that is how it is read
// when it has one dimension, or a's shape without the last. Batch dimensions broadcast. An error for a singular a.
Tensor solve(const Tensor& a, const Tensor& b);

Tensor inv(const Tensor& a);  // [..., n, n]; an error for a singular matrix

// [..., n, n] → [...]. The gradient is right for singular matrices, too; the second one needs an inverse.
Tensor det(const Tensor& a);

struct SignLogAbsDet {
  Tensor sign;       // -1, 0 or 1; not differentiable
  Tensor logabsdet;  // -inf where the determinant is 0
};
SignLogAbsDet slogdet(const Tensor& a);  // [..., n, n] → two [...]; the gradient needs an inverse

// Lower triangular L with L × Lᵀ = a for a symmetric, positive definite a [..., n, n], whose lower triangle alone
// is read. The gradient is symmetric: that of a function of symmetric matrices.
Tensor cholesky(const Tensor& a);

struct QR {
  Tensor q;  // [..., m, k] with orthonormal columns, k = min(m, n)
  Tensor r;  // [..., k, n], upper triangular
};
QR qr(const Tensor& a);  // [..., m, n]; the gradient needs m >= n and columns that are linearly independent

struct SVD {
  Tensor u;   // [..., m, k] with orthonormal columns, k = min(m, n)
  Tensor s;   // [..., k], descending
  Tensor vh;  // [..., k, n] with orthonormal rows
};
// a [..., m, n] = u × diag(s) × vh. The gradient through s holds always, that through u and vh where the singular
// values are distinct (and not 0, when m != n); only functions that the signs of the vectors do not change have one
// that means anything.
SVD svd(const Tensor& a);

struct Eigh {
  Tensor eigenvalues;   // [..., n], ascending
  Tensor eigenvectors;  // [..., n, n], in columns
};
// Of a symmetric matrix [..., n, n], whose lower triangle alone is read. The gradient is symmetric; through the
// eigenvectors it holds where the eigenvalues are distinct.
Eigh eigh(const Tensor& a);

// X [..., n, r] that makes the norm of a × X - b smallest, for a [..., m, n]; where several do, the one of smallest
// norm. b as in solve. Singular values up to max(m, n) × epsilon times the largest count as 0; the gradient is that
// among matrices of the same rank.
Tensor lstsq(const Tensor& a, const Tensor& b);

// The Moore-Penrose inverse [..., n, m] of a [..., m, n]; cutoff and gradient as in lstsq.
Tensor pinv(const Tensor& a);

}  // namespace feral::linalg
