// The lines of a tensor along one dimension, for kernels that run along it.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral::cpu {

// Calls body(offset, out_offset, count, stride, out_stride) for groups of `count` lines whose first elements lie
// `stride` (in `out`: `out_stride`) apart; offsets and strides in elements. `out` has x's shape but for its size
// along `dim`, which both may have. A group is the longest run of lines along the dimension where x's lie closest.
template <class Body>
void for_each_line_group(const Tensor& out, const Tensor& x, int dim, Body&& body) {
  Shape sizes = x.shape();
  if (x.dims() > 0) sizes[dim] = 1;
  int group = -1;
  for (int i = 0; i < sizes.dims(); ++i) {
    if (sizes[i] == 0) return;
    if (sizes[i] > 1 && (group < 0 || x.strides()[i] <= x.strides()[group])) group = i;
  }
  const std::int64_t count = group < 0 ? 1 : sizes[group];
  const std::int64_t stride = group < 0 ? 0 : x.strides()[group];
  const std::int64_t out_stride = group < 0 ? 0 : out.strides()[group];
  if (group >= 0) sizes[group] = 1;
  Shape index = sizes;
  for (int i = 0; i < index.dims(); ++i) index[i] = 0;
  std::int64_t offset = 0;
  std::int64_t out_offset = 0;
  for (;;) {
    body(offset, out_offset, count, stride, out_stride);
    int i = sizes.dims() - 1;
    for (; i >= 0; --i) {
      offset += x.strides()[i];
      out_offset += out.strides()[i];
      if (++index[i] < sizes[i]) break;
      offset -= x.strides()[i] * sizes[i];
      out_offset -= out.strides()[i] * sizes[i];
      index[i] = 0;
    }
    if (i < 0) return;
  }
}

}  // namespace feral::cpu
