// The rows of elementwise kernels as function pointers: n elements of each operand, strides in elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"
#include "tensor/cpu/tiles.hpp"

namespace feral::cpu {

using UnaryRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                          std::int64_t x_stride);
using BinaryRow = void (*)(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                           std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride);

inline void run_rows(UnaryRow row, const Tensor& out, const Tensor& x) {
  if (out.is_contiguous() && x.is_contiguous() && out.numel() == x.numel()) {  // one row
    if (out.numel() > 0) row(out.raw_data(), x.raw_data(), out.numel(), 1, 1);
    return;
  }
  for_each_contiguous_row<2>(
      StridedLoop<2>({&out, &x}), {out.raw_data(), x.raw_data()}, {size_of(out.dtype()), size_of(x.dtype())},
      [row](const auto& at, std::int64_t n, const auto& strides) { row(at[0], at[1], n, strides[0], strides[1]); });
}

inline void run_rows(BinaryRow row, const Tensor& out, const Tensor& a, const Tensor& b) {
  if (out.is_contiguous() && a.is_contiguous() && b.is_contiguous() && a.numel() == out.numel() &&
      b.numel() == out.numel()) {  // one row
    if (out.numel() > 0) row(out.raw_data(), a.raw_data(), b.raw_data(), out.numel(), 1, 1, 1);
    return;
  }
  const std::size_t size = size_of(a.dtype());
  for_each_contiguous_row<3>(StridedLoop<3>({&out, &a, &b}), {out.raw_data(), a.raw_data(), b.raw_data()},
                             {size_of(out.dtype()), size, size},
                             [row](const auto& at, std::int64_t n, const auto& strides) {
                               row(at[0], at[1], at[2], n, strides[0], strides[1], strides[2]);
                             });
}

}  // namespace feral::cpu
