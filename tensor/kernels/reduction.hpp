// Kernels that reduce dimensions, or run along one.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct ReductionKernels {
  // out = x summed over every dimension that out's shape broadcasts along. out is contiguous. Floating.
  void (*sum_to)(const Tensor& out, const Tensor& x);
  // out int64; index of the largest along `dim`, the first of equals, a NaN counts as the largest.
  void (*argmax)(const Tensor& out, const Tensor& x, int dim);
};

}  // namespace feral
