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

// Row-major C [m, n] = op(A) × op(B) + beta * C; lda, ldb, ldc are row lengths in elements as stored. A dimension
// may be 0. Runs on the calling thread alone when OPENBLAS_NUM_THREADS is 1.
inline void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  if (small_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc)) return;
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              blas_int(m), blas_int(n), blas_int(k), 1, a, blas_int(lda), b, blas_int(ldb), beta, c, blas_int(ldc));
}

inline void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c,
                 std::int64_t ldc) {
  if (small_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc)) return;
  cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              blas_int(m), blas_int(n), blas_int(k), 1, a, blas_int(lda), b, blas_int(ldb), beta, c, blas_int(ldc));
}

}  // namespace feral::cpu
