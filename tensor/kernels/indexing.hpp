// Kernels that read and write by index.
//
// Positions are int64 and have been checked to lie within. Those of `index` and `index_write` count, in row-major
// order, the elements of `count` neighbouring dimensions of a tensor, from dimension `first` on; they replace these
// dimensions by their own:
//
//   tensor     [outer..., indexed..., inner...]       any strides
//   positions  [at...]                                contiguous
//   picked     [outer..., at..., inner...]            any strides
//
// count follows: tensor.dims() - count + positions.dims() == picked.dims().
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

// How a written element meets the one that stands there. Integers wrap around; on bool add is "or", mul is "and"; a
// NaN on either side is the maximum and the minimum.
enum class WriteKernel : std::uint8_t { copy, add, mul, maximum, minimum };

enum class ScatterReduction : std::uint8_t { sum, prod, mean, amax, amin };

struct IndexingKernels {
  // Where, in row-major order, the first element of `index` (int64, any strides) outside of [low, high) stands, low
  // <= 0 <= high; -1 when there is none.
  std::int64_t (*find_outside)(const Tensor& index, std::int64_t low, std::int64_t high);
  // out = index, plus out * size when `onto`; a negative index counts from `size`. out contiguous int64, index
  // broadcasts to it.
  void (*fold_positions)(const Tensor& out, const Tensor& index, std::int64_t size, bool onto);

  // out = the picked elements. x may be a live shared parameter.
  void (*index)(const Tensor& out, const Tensor& x, const Tensor& positions, int first);
  // The picked elements of out meet those of `source`, which has their shape. In row-major order of the positions:
  // of several copies to one place the last one stays. out may have any strides, and overlaps no input.
  void (*index_write)(WriteKernel how, const Tensor& out, const Tensor& positions, const Tensor& source, int first);

  // out[i, j, k] = x[i, index[i, j, k], k] for dim 1; out contiguous of index's shape, the others of any strides.
  void (*gather)(const Tensor& out, const Tensor& x, const Tensor& index, int dim);
  // out[i, index[i, j, k], k] meets source[i, j, k], of index's shape, in row-major order.
  void (*scatter)(WriteKernel how, const Tensor& out, const Tensor& index, const Tensor& source, int dim);
  // The same with a reduction; without include_self the elements that are met do not count themselves. The mean of
  // integers is rounded down. out is contiguous.
  void (*scatter_reduce)(ScatterReduction reduction, bool include_self, const Tensor& out, const Tensor& index,
                         const Tensor& source, int dim);

  // How many elements are not 0 (a NaN is not); any strides.
  std::int64_t (*nonzero_count)(const Tensor& x);
  // Where they stand in row-major order; out int64, its one size is their number.
  void (*nonzero_positions)(const Tensor& out, const Tensor& x);
  // out [n, shape.dims()] = the coordinates in `shape` of `positions` [n].
  void (*unravel)(const Tensor& out, const Tensor& positions, const Shape& shape);
};

}  // namespace feral
