// Decompositions and solvers of matrices.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// How a kernel that works matrix by matrix ended: well, or where it stopped.
struct LinalgStatus {
  enum class Kind : std::uint8_t {
    done,
    singular,               // `position`: the pivot of the LU decomposition that is 0, from 0
    not_positive_definite,  // `position`: the size of the leading block that is not
    not_finite,             // an element is infinite or NaN
    no_convergence
  };
  Kind kind = Kind::done;
  std::int64_t matrix = 0;  // which of the batch
  std::int64_t position = 0;
};

// Float32 or float64, one type a call; inputs [..., rows, columns] with any strides and the batch dimensions of
// `out`; outputs contiguous. k = min(m, n). Matrices that are not finite give NaN where no status says so.
struct LinalgKernels {
  // a [n, n], b [n, r] → out [n, r] with a × out = b.
  LinalgStatus (*solve)(const Tensor& out, const Tensor& a, const Tensor& b);
  LinalgStatus (*inverse)(const Tensor& out, const Tensor& a);
  // a [n, n] → out []
  void (*determinant)(const Tensor& out, const Tensor& a);
  void (*log_determinant)(const Tensor& sign, const Tensor& log, const Tensor& a);
  // a [n, n] → out [n, n]: what the determinant changes by with each element; also of a singular matrix.
  LinalgStatus (*cofactors)(const Tensor& out, const Tensor& a);
  // Reads the lower triangle of a; out is lower triangular with out × outᵀ = a.
  LinalgStatus (*cholesky)(const Tensor& out, const Tensor& a);
  // a [m, n] → q [m, k] with orthonormal columns, r [k, n] upper triangular.
  void (*qr)(const Tensor& q, const Tensor& r, const Tensor& a);
  // a [m, n] → u [m, k], s [k] from the largest on, vh [k, n].
  LinalgStatus (*svd)(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& a);
  // Reads the lower triangle of a [n, n] → values [n] from the smallest on, vectors [n, n] in columns.
  LinalgStatus (*eigh)(const Tensor& values, const Tensor& vectors, const Tensor& a);
  // a [m, n], b [m, r] → out [n, r]: of all that make |a × out - b| smallest the one that is smallest itself.
  // Singular values up to `cutoff` times the largest count as 0.
  LinalgStatus (*least_squares)(const Tensor& out, const Tensor& a, const Tensor& b, double cutoff);
  // a [m, n] → out [n, m], the Moore-Penrose inverse; cutoff as above.
  LinalgStatus (*pseudo_inverse)(const Tensor& out, const Tensor& a, double cutoff);
};

}  // namespace feral
