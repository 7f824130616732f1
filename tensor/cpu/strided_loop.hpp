// Walks several strided, broadcast operands row by row. Dimensions that are contiguous in every operand are merged
// first, so a contiguous call is one row.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral::cpu {

template <int operands>
class StridedLoop {
 public:
  // Operand 0 sets the shape; the others broadcast to it.
  explicit StridedLoop(const std::array<const Tensor*, operands>& tensors) {
    const Shape& shape = tensors[0]->shape();
    for (int dim = shape.dims() - 1; dim >= 0; --dim) {
      if (shape[dim] == 1) continue;
      Dim next{shape[dim], {}};
      for (int k = 0; k < operands; ++k) next.strides[k] = stride(*tensors[k], shape, dim);
      append(next);
    }
    if (dims_ == 0) inner_[dims_++] = {1, {}};
    empty_ = shape.numel() == 0;
  }

  // Calls row(offsets, length, strides) for each row; offsets and strides in elements, one an operand.
  template <class Row>
  void for_each_row(Row&& row) const {
    for_each_block(1, [&](const auto& offsets) { row(offsets, inner_[0].size, inner_[0].strides); });
  }

  // Calls block(offsets) for each position of the dimensions from `first` on, counted from the innermost.
  template <class Block>
  void for_each_block(int first, Block&& block) const {
    if (empty_) return;
    std::array<std::int64_t, operands> offsets{};
    std::array<std::int64_t, Shape::max_dims> index{};
    for (;;) {
      block(offsets);
      int dim = first;
      for (; dim < dims_; ++dim) {
        for (int k = 0; k < operands; ++k) offsets[k] += inner_[dim].strides[k];
        if (++index[dim] < inner_[dim].size) break;
        for (int k = 0; k < operands; ++k) offsets[k] -= inner_[dim].strides[k] * inner_[dim].size;
        index[dim] = 0;
      }
      if (dim >= dims_) return;
    }
  }

  struct Dim {
    std::int64_t size;
    std::array<std::int64_t, operands> strides;
  };

  // How many operands step over elements along a dimension.
  int scattered(int dim) const {
    int count = 0;
    for (int k = 0; k < operands; ++k) count += inner_[dim].strides[k] != 0 && inner_[dim].strides[k] != 1 ? 1 : 0;
    return count;
  }

  // The same elements in another order: innermost the dimension in which the fewest operands are scattered, a long
  // one if there are several; next the one in which most of those lie side by side.
  StridedLoop in_memory_order() const {
    int first = 0;
    for (int dim = 1; dim < dims_; ++dim) {
      const int fewer = scattered(first) - scattered(dim);
      if (fewer > 0 || (fewer == 0 && inner_[first].size < 16 && inner_[dim].size >= 16)) first = dim;
    }
    int second = -1;
    int most = 0;
    for (int dim = 0; dim < dims_; ++dim) {
      if (dim == first) continue;
      int side_by_side = 0;
      for (int k = 0; k < operands; ++k) {
        const std::int64_t stride = inner_[first].strides[k];
        side_by_side += stride != 0 && stride != 1 && inner_[dim].strides[k] == 1 ? 1 : 0;
      }
      if (side_by_side > most) {
        most = side_by_side;
        second = dim;
      }
    }
    StridedLoop ordered;
    ordered.empty_ = empty_;
    ordered.append(inner_[first]);
    if (second >= 0) ordered.append(inner_[second]);
    for (int dim = 0; dim < dims_; ++dim) {
      if (dim != first && dim != second) ordered.append(inner_[dim]);
    }
    return ordered;
  }

  int dims() const { return dims_; }                 // what is left after merging, at least 1
  const Dim& dim(int i) const { return inner_[i]; }  // the innermost is 0
  bool empty() const { return empty_; }

 private:
  StridedLoop() = default;

  void append(const Dim& next) {
    if (dims_ > 0 && merges(inner_[dims_ - 1], next)) {
      inner_[dims_ - 1].size *= next.size;
    } else {
      inner_[dims_++] = next;
    }
  }

  static std::int64_t stride(const Tensor& tensor, const Shape& shape, int dim) {
    const int own = dim - (shape.dims() - tensor.dims());
    return own < 0 || tensor.shape()[own] == 1 ? 0 : tensor.strides()[own];
  }

  static bool merges(const Dim& inner, const Dim& outer) {
    for (int k = 0; k < operands; ++k) {
      if (outer.strides[k] != inner.strides[k] * inner.size) return false;
    }
    return true;
  }

  int dims_ = 0;
  bool empty_ = false;
  std::array<Dim, Shape::max_dims> inner_;  // innermost first
};

}  // namespace feral::cpu
