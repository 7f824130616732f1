// Which of a tensor's dimensions an op reduces.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/fail.hpp"
#include "tensor/shape.hpp"

namespace feral {

struct DimSet {
  std::uint32_t bits = 0;  // bit i: dimension i

  bool contains(int dim) const noexcept { return (bits >> dim & 1U) != 0; }
  void insert(int dim) noexcept { bits |= 1U << dim; }
  static DimSet all(int dims) noexcept { return {(1U << dims) - 1}; }
  static DimSet of(int dim) noexcept { return {1U << dim}; }
};

// `dim` counted from the end when negative, checked; a tensor without dimensions takes 0 and -1, as in PyTorch.
inline int normalize_reduced_dim(std::string_view op, std::int64_t dim, int dims) {
  return normalize_dim(op, dim, dims == 0 ? 1 : dims);
}

// Those named, each once; all when none is named, as in PyTorch. Throws feral::Error naming `op`.
inline DimSet reduced_dims(std::string_view op, const Dims& named, int dims) {
  if (named.dims() == 0) return DimSet::all(dims);
  DimSet set;
  for (const std::int64_t dim : named) {
    const int normalized = normalize_reduced_dim(op, dim, dims);
    if (set.contains(normalized)) fail("{}: dimension {} is named twice", op, dim);
    set.insert(normalized);
  }
  return set;
}

// `shape` with size 1 in the dimensions of `set`, or without them.
inline Shape reduced_shape(const Shape& shape, DimSet set, bool keepdim) {
  Shape result;
  for (int i = 0; i < shape.dims(); ++i) {
    if (!set.contains(i)) {
      result.push_back(shape[i]);
    } else if (keepdim) {
      result.push_back(1);
    }
  }
  return result;
}

// The number of elements that one result is made of.
inline std::int64_t reduced_count(const Shape& shape, DimSet set) {
  std::int64_t count = 1;
  for (int i = 0; i < shape.dims(); ++i) {
    if (set.contains(i)) count *= shape[i];
  }
  return count;
}

}  // namespace feral
