// Products of few rows with one matrix, over and over: the matrix is packed once.
#pragma once

#include <cstdint>

#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {

// A matrix [k, n] whose element [l, j] stood at from[l * row_step + j * column_step]; one of the two steps is 1.
template <class T>
class PackedMatrix {
 public:
  PackedMatrix(const T* from, std::int64_t k, std::int64_t n, std::int64_t row_step, std::int64_t column_step);

  // c [m, n] = a [m, k] × this, plus c when accumulate; lda and ldc are row lengths in elements.
  void multiply(std::int64_t m, const T* a, std::int64_t lda, T* c, std::int64_t ldc, bool accumulate) const;

 private:
  std::int64_t k_, n_;
  Workspace memory_;
};

}  // namespace feral::cpu
