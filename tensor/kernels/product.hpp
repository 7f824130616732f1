// Matrix products.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct ProductKernels {
  // out [m, n] = a [m, k] × b [k, n], plus out itself when accumulate. a and b may be transposed views; others are
  // copied first.
  void (*matmul)(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);
  // out [m, n] with every row equal to `row` [n]. `row` may be a live shared parameter.
  void (*fill_rows)(const Tensor& out, const Tensor& row);
};

}  // namespace feral
