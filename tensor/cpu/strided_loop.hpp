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
      if (dims_ > 0 && merges(inner_[dims_ - 1], next)) {
        inner_[dims_ - 1].size *= next.size;
      } else {
        inner_[dims_++] = next;
      }
    }
    if (dims_ == 0) inner_[dims_++] = {1, {}};
    empty_ = shape.numel() == 0;
  }

  // Calls row(offsets, length, strides) for each row; offsets and strides in elements, one an operand.
  template <class Row>
  void for_each_row(Row&& row) const {
    if (empty_) return;
    std::array<std::int64_t, operands> offsets{};
    std::array<std::int64_t, Shape::max_dims> index{};
    for (;;) {
      row(offsets, inner_[0].size, inner_[0].strides);
      int dim = 1;
      for (; dim < dims_; ++dim) {
        for (int k = 0; k < operands; ++k) offsets[k] += inner_[dim].strides[k];
        if (++index[dim] < inner_[dim].size) break;
        for (int k = 0; k < operands; ++k) offsets[k] -= inner_[dim].strides[k] * inner_[dim].size;
        index[dim] = 0;
      }
      if (dim == dims_) return;
    }
  }

 private:
  struct Dim {
    std::int64_t size;
    std::array<std::int64_t, operands> strides;
  };

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
