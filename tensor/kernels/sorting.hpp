// Kernels that order and count.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct IntegerRange {
  std::int64_t smallest = 0;
  std::int64_t largest = 0;
};
struct FloatRange {
  double smallest = 0;
  double largest = 0;
};

// Everywhere NaN is the largest number, all NaN are equal, and so are -0 and 0; equal elements come in the order in
// which they stand in x. x may have any strides and, unless said otherwise, any type; `out` is int64 unless said
// otherwise and tells positions along `dim`.
struct SortingKernels {
  // The order of each line of x along dim; out has x's shape.
  void (*argsort)(const Tensor& out, const Tensor& x, int dim, bool descending);
  // The same, but only the first elements of it: as many as out has along dim.
  void (*topk)(const Tensor& out, const Tensor& x, int dim, bool largest);
  // The element number k (from 0) of the ascending order; out has size 1 along dim.
  void (*kthvalue)(const Tensor& out, const Tensor& x, int dim, std::int64_t k);
  // Of x's n elements in row-major order; out is [3 * n + 1]: of each element the number of its value among the
  // different ones in ascending order; then the position of the first element of each value; then their counts (0
  // after the last); then how many different values there are. Every NaN is a value of its own.
  void (*unique)(const Tensor& out, const Tensor& x);
  // How many elements of a line of `sorted` (along its last dimension, the others broadcast) are less than each
  // element of the line of `values`; less or equal where `right`. sorted and values have one type; out has values'
  // shape, which has one dimension at least.
  void (*searchsorted)(const Tensor& out, const Tensor& sorted, const Tensor& values, bool right);

  // out[i] = how many elements of x, 1-dimensional and of integer type, are i; or, where `weights` (of x's shape
  // and out's type, float32 or float64) are defined, the sum of theirs.
  void (*bincount)(const Tensor& out, const Tensor& x, const Tensor& weights);
  // out[i] = how many elements of x lie in the i-th of out's equal bins over [low, high]; the last bin has `high`,
  // too. x and out float32 or float64.
  void (*histogram)(const Tensor& out, const Tensor& x, double low, double high);
  // Of a tensor that is not empty: of an integer type, or of float32 or float64, where a NaN gives two.
  IntegerRange (*integer_range)(const Tensor& x);
  FloatRange (*float_range)(const Tensor& x);
};

}  // namespace feral
