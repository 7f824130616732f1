// Kernels that fill by position and rearrange.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct ArrangingKernels {
  // out = x where the column of the last two dimensions is at most row + diagonal (`upper`: at least), 0 elsewhere.
  void (*triangle)(const Tensor& out, const Tensor& x, std::int64_t diagonal, bool upper);
  // out int64 of shape [x's …, classes]: 1 at the class that x (int64 or int32, any strides, within range) names.
  void (*one_hot)(const Tensor& out, const Tensor& x);
  // out[i] = start + i * step, of any type but bool; integers compute in int64 and wrap around.
  void (*arange)(const Tensor& out, Scalar start, Scalar step);
  // out[i] = start + i * (end - start) / (n - 1), exact at both ends; integers are cut towards 0.
  void (*linspace)(const Tensor& out, double start, double end);
};

}  // namespace feral
