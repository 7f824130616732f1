// Products of floating matrices: one name for both types, small ones by our own kernel, sizes checked.
#pragma once

#include <cblas.h>

#include <cstdint>
#include <limits>

#include "core/fail.hpp"
#include "tensor/cpu/small_gemm.hpp"

namespace feral::cpu {

// What BLAS and LAPACK count in; throws feral::Error for a size or row length that they cannot count.
inline int blas_int(std::int64_t n) {
  if (n > std::numeric_limits<int>::max()) {
    fail("matrix product: BLAS counts up to {}, got a size or row length of {}", std::numeric_limits<int>::max(),
         n);
  }
  return static_cast<int>(n);
}

namespace blas {

inline CBLAS_TRANSPOSE transposition(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

inline void gemm(bool ta, bool tb, int m, int n, int k, const float* a, int lda, const float* b, int ldb,
                 float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, transposition(ta), transposition(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
inline void gemm(bool ta, bool tb, int m, int n, int k, const double* a, int lda, const double* b, int ldb,
                 double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, transposition(ta), transposition(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

// y += op(A) × x for A [rows, columns]
inline void gemv(bool ta, int rows, int columns, const float* a, int lda, const float* x, int x_step, float* y,
                 int y_step) {
  cblas_sgemv(CblasRowMajor, transposition(ta), rows, columns, 1, a, lda, x, x_step, 1, y, y_step);
}
inline void gemv(bool ta, int rows, int columns, const double* a, int lda, const double* x, int x_step, double* y,
                 int y_step) {
  cblas_dgemv(CblasRowMajor, transposition(ta), rows, columns, 1, a, lda, x, x_step, 1, y, y_step);
}

inline float dot(int n, const float* x, int x_step, const float* y, int y_step) {
  return cblas_sdot(n, x, x_step, y, y_step);
}
inline double dot(int n, const double* x, int x_step, const double* y, int y_step) {
  return cblas_ddot(n, x, x_step, y, y_step);
}

}  // namespace blas

// Row-major C [m, n] = op(A) × op(B) + beta * C; lda, ldb, ldc are row lengths in elements as stored. A dimension
// may be 0. Runs on the calling thread alone when OPENBLAS_NUM_THREADS is 1.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  if (small_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc)) return;
  const int rows = blas_int(m);
  const int columns = blas_int(n);
  const int depth = blas_int(k);
  const int a_row = blas_int(lda);
  const int b_row = blas_int(ldb);
  const int c_row = blas_int(ldc);
  // OpenBLAS's gemm takes vectors for matrices: up to 10 and 20 times slower than dot and gemv, but for sizes up to
  // 10⁶, where it has kernels of its own.
  constexpr std::int64_t own_kernels = 1'000'000;
  const int a_step = transpose_a ? a_row : 1;  // along k, where m is 1
  const int b_step = transpose_b ? 1 : b_row;  // along k, where n is 1
  if (m == 1 && n == 1) {
    const T before = beta == 0 ? T{0} : beta * *c;
    *c = before + blas::dot(depth, a, a_step, b, b_step);
  } else if ((m == 1 || n == 1) && m * n * k > own_kernels) {
    const std::int64_t c_step = n == 1 ? ldc : 1;
    for (std::int64_t i = 0; i < m * n; ++i) c[i * c_step] = beta == 0 ? T{0} : beta * c[i * c_step];
    if (n == 1) {
      blas::gemv(transpose_a, transpose_a ? depth : rows, transpose_a ? rows : depth, a, a_row, b, b_step, c,
                 c_row);
    } else {
      blas::gemv(!transpose_b, transpose_b ? columns : depth, transpose_b ? depth : columns, b, b_row, a, a_step, c,
                 1);
    }
  } else {
    blas::gemm(transpose_a, transpose_b, rows, columns, depth, a, a_row, b, b_row, beta, c, c_row);
  }
}

}  // namespace feral::cpu
