// The lines of a tensor along one dimension (all elements that differ in its index alone), for kernels that run
// along it.
#pragma once

#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"
#include "tensor/tensor.hpp"
#include "tensor/view_of.hpp"

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

// The first elements of x's lines along `dim`: x with that dimension cut down to size 1.
inline Tensor line_starts(const Tensor& x, int dim) {
  Shape cut = x.shape();
  cut[dim] = 1;
  return view_of(x, cut, x.strides());
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
