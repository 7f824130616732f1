// Products of small matrices, where OpenBLAS spends more on copying its operands into blocks than it gains.
#pragma once

#include <cstdint>

namespace feral::cpu {

// C [m, n] = op(A) × op(B) + beta * C with gemm's arguments (tensor/cpu/blas.hpp). Returns false, having done
// nothing, for sizes, values of beta or processors that are better served by OpenBLAS.
bool small_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);
bool small_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c, std::int64_t ldc);

}  // namespace feral::cpu
