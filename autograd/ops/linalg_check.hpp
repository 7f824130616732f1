// What the ops of linear algebra share: checks, errors of kernels, parts of a packed result.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "autograd/ops/check.hpp"
#include "autograd/ops/matrices.hpp"
#include "autograd/ops/view.hpp"
#include "tensor/kernels/linalg.hpp"

namespace feral::ops {

inline void check_matrices(std::string_view op, const Tensor& a) {
  check_floating(op, a);
  if (a.dims() < 2) fail("{}: expected matrices [..., m, n], got shape {}", op, a.shape().to_string());
  if (std::max(rows_of(a), columns_of(a)) > std::numeric_limits<int>::max()) {
    fail("{}: matrices {} have more than {} rows or columns", op, a.shape().to_string(),
         std::numeric_limits<int>::max());
  }
}

inline void check_square(std::string_view op, const Tensor& a) {
  check_matrices(op, a);
  if (rows_of(a) != columns_of(a)) {
    fail("{}: expected square matrices [..., n, n], got shape {}", op, a.shape().to_string());
  }
}

// a [..., m, n] and b [..., m, r] of one type, with the same batch dimensions.
inline void check_system(std::string_view op, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, a, b);
  check_matrices(op, a);
  if (b.dims() < 2 || rows_of(a) != rows_of(b) || !(batch_and(a.shape(), 2, {}) == batch_and(b.shape(), 2, {}))) {
    fail("{}: shapes {} and {} do not fit: expected [..., m, n] and [..., m, r]", op, a.shape().to_string(),
         b.shape().to_string());
  }
  check_matrices(op, b);
}

// Throws what a kernel could not do with matrix `status.matrix` of `a`.
inline void check_status(std::string_view op, const LinalgStatus& status, const Tensor& a) {
  if (status.kind == LinalgStatus::Kind::done) return;
  const std::string which = a.dims() > 2
                                ? fmt::format("matrix {} of the batch {}", status.matrix, a.shape().to_string())
                                : fmt::format("the matrix {}", a.shape().to_string());
  switch (status.kind) {
    case LinalgStatus::Kind::done:
      return;
    case LinalgStatus::Kind::singular:
      fail("{}: {} is singular: pivot {} of its LU decomposition is 0", op, which, status.position);
    case LinalgStatus::Kind::not_positive_definite:
      fail("{}: {} is not positive definite: its leading {} by {} block is not", op, which, status.position,
           status.position);
    case LinalgStatus::Kind::not_finite:
      fail("{}: {} has elements that are infinite or NaN", op, which);
    case LinalgStatus::Kind::no_convergence:
      fail("{}: LAPACK found no solution for {} within its number of iterations", op, which);
  }
}

// Several results of an op stand one behind the other in one vector: `shape` from `start` on, on the tape or,
// within an op, off it. Contiguous.
inline Tensor part_of(const Tensor& packed, std::int64_t start, const Shape& shape) {
  return packed.narrow(0, start, shape.numel()).reshape(shape);
}
inline Tensor part_in_run(const Tensor& packed, std::int64_t start, const Shape& shape) {
  return look(packed, {.shape = shape, .strides = shape.contiguous_strides(), .offset = start});
}

}  // namespace feral::ops
