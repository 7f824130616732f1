// Kernels that reduce dimensions, or run along one.
#pragma once

#include <cstdint>

#include "tensor/dim_set.hpp"
#include "tensor/tensor.hpp"

namespace feral {

enum class ReduceKernel : std::uint8_t { sum, mean, prod, amax, amin, any, all, count_nonzero };
enum class ScanKernel : std::uint8_t { sum, prod };

struct ReductionKernels {
  // Everywhere: x has any strides; out is contiguous and has the sizes of the dimensions that are left, in their
  // order, with or without those reduced as size 1. A reduction of nothing gives the neutral element.

  // out = x summed over every dimension that out's shape broadcasts along. Floating.
  void (*sum_to)(const Tensor& out, const Tensor& x);
  // sum and prod: of x's floating type, 16-bit ones included, int64 for integers and bool (wrapping around). mean:
  // x's floating type. amax, amin: x's type, any; a NaN is the result. any, all: bool; count_nonzero: int64.
  void (*reduce)(ReduceKernel kernel, const Tensor& out, const Tensor& x, DimSet dims);
  // The p-norm, p of any value; float32 or float64, as the next two.
  void (*norm)(const Tensor& out, const Tensor& x, DimSet dims, double p);
  // The squared distance from the mean divided by max(0, count - correction); its root when `root`.
  void (*var)(const Tensor& out, const Tensor& x, DimSet dims, double correction, bool root);
  // log(sum(e^x)), shifted by the largest element.
  void (*logsumexp)(const Tensor& out, const Tensor& x, DimSet dims);

  // out int64: the index of the largest (smallest) along `dim`, the first of equals, a NaN before all; any type.
  // dim -1: among all elements in row-major order. Nothing that is reduced is empty.
  void (*argmax)(const Tensor& out, const Tensor& x, int dim);
  void (*argmin)(const Tensor& out, const Tensor& x, int dim);
  // The same for the lower of the middle elements; the first NaN where there is one.
  void (*median)(const Tensor& out, const Tensor& x, int dim);

  // Running sums or products along `dim`, from the end when `reverse`. out has x's shape; its type as reduce's.
  // float32 is added in float64.
  void (*scan)(ScanKernel kernel, const Tensor& out, const Tensor& x, int dim, bool reverse);
  // out[i] = b[i] + a[i] * out[i - 1] along `dim` (out[i + 1] when `reverse`), 0 before the first. Three contiguous
  // tensors of one shape; float32 or float64.
  void (*recurrence)(const Tensor& out, const Tensor& a, const Tensor& b, int dim, bool reverse);
  // The softmax along `dim`, or its logarithm; float32 or float64. A NaN or +inf makes all of its line NaN.
  void (*softmax)(const Tensor& out, const Tensor& x, int dim, bool logarithm);
};

}  // namespace feral
