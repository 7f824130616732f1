// Walks lines: all elements that differ in one dimension's index alone.
#pragma once

#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"
#include "tensor/tensor.hpp"

namespace feral::cpu {

// The first elements of x's lines along `dim`: x with that dimension cut down to size 1.
inline Tensor line_starts(const Tensor& x, int dim) {
  Shape cut = x.shape();
  cut[dim] = 1;
  x.impl()->storage->retain();
  return Tensor::adopt(TensorImpl::create(x.impl()->storage, x.raw_data(), cut, x.strides(), x.dtype()));
}

// Calls line(out_offset, x_offset), in elements, for the first elements of each two lines; the shapes agree but for
// dimension `dim`, along which neither is empty.
template <class Line>
void for_each_line(const Tensor& out, const Tensor& x, int dim, Line&& line) {
  const Tensor out_starts = line_starts(out, dim);
  const Tensor x_starts = line_starts(x, dim);
  StridedLoop<2>({&out_starts, &x_starts})
      .for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
        for (std::int64_t i = 0; i < n; ++i) line(offsets[0] + i * strides[0], offsets[1] + i * strides[1]);
      });
}

}  // namespace feral::cpu
