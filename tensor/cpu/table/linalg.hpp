// The CPU's part of the table; contracts in tensor/kernels/linalg.hpp.
#pragma once

#include "tensor/kernels/linalg.hpp"

namespace feral::cpu {

LinalgStatus solve(const Tensor& out, const Tensor& a, const Tensor& b);
LinalgStatus inverse(const Tensor& out, const Tensor& a);
void determinant(const Tensor& out, const Tensor& a);
void log_determinant(const Tensor& sign, const Tensor& log, const Tensor& a);
LinalgStatus cofactors(const Tensor& out, const Tensor& a);
LinalgStatus cholesky(const Tensor& out, const Tensor& a);
void qr(const Tensor& q, const Tensor& r, const Tensor& a);
LinalgStatus svd(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& a);
LinalgStatus eigh(const Tensor& values, const Tensor& vectors, const Tensor& a);
LinalgStatus least_squares(const Tensor& out, const Tensor& a, const Tensor& b, double cutoff);
LinalgStatus pseudo_inverse(const Tensor& out, const Tensor& a, double cutoff);

inline constexpr LinalgKernels linalg_kernels = {
    .solve = solve,
    .inverse = inverse,
    .determinant = determinant,
    .log_determinant = log_determinant,
    .cofactors = cofactors,
    .cholesky = cholesky,
    .qr = qr,
    .svd = svd,
    .eigh = eigh,
    .least_squares = least_squares,
    .pseudo_inverse = pseudo_inverse,
};

}  // namespace feral::cpu
