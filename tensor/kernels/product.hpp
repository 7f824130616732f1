// Matrix products.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// One type a call: float32, float64 or an integer, whose products wrap around. Matrices whose rows or columns are
// contiguous are read where they lie; others are copied first.
struct ProductKernels {
  // out [m, n] = a [m, k] × b [k, n], plus out itself when accumulate.
  void (*matmul)(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);
  // out [..., m, n] = a [..., m, k] × b [..., k, n], matrix by matrix; the dimensions before the last two broadcast
  // to out's, and a broadcast matrix is not copied.
  void (*bmm)(const Tensor& out, const Tensor& a, const Tensor& b);
  // out [m, n] with every row equal to `row` [n]. `row` may be a live shared parameter. Floating.
  void (*fill_rows)(const Tensor& out, const Tensor& row);
};

}  // namespace feral
