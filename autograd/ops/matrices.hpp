// Tensors read as batches of matrices [..., rows, columns].
#pragma once

#include <cstdint>
#include <initializer_list>

#include "tensor/tensor.hpp"

namespace feral::ops {

inline std::int64_t rows_of(const Tensor& a) { return a.shape()[a.dims() - 2]; }
inline std::int64_t columns_of(const Tensor& a) { return a.shape()[a.dims() - 1]; }

// The dimensions before the last `trailing` ones, and `last` behind them.
inline Shape batch_and(const Shape& shape, int trailing, std::initializer_list<std::int64_t> last) {
  Shape result;
  for (int i = 0; i < shape.dims() - trailing; ++i) result.push_back(shape[i]);
  for (const std::int64_t size : last) result.push_back(size);
  return result;
}

// Matrices transposed.
inline Tensor turned(const Tensor& x) { return x.transpose(-2, -1); }

// Vectors [..., n] as rows [..., 1, n] and as columns [..., n, 1].
inline Tensor as_row(const Tensor& x) { return x.reshape(batch_and(x.shape(), 1, {1, columns_of(x)})); }
inline Tensor as_column(const Tensor& x) { return x.reshape(batch_and(x.shape(), 1, {columns_of(x), 1})); }
// Numbers [...] as matrices [..., 1, 1].
inline Tensor as_matrix(const Tensor& x) { return x.reshape(batch_and(x.shape(), 0, {1, 1})); }

}  // namespace feral::ops
