// The rows of elementwise kernels as function pointers: n elements of each operand, strides in elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

using UnaryRow = void (*)(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                          std::int64_t x_stride);
using BinaryRow = void (*)(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                           std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride);

inline void run_rows(UnaryRow row, const Tensor& out, const Tensor& x) {
  const auto out_size = static_cast<std::int64_t>(size_of(out.dtype()));
  if (out.is_contiguous() && x.is_contiguous() && out.numel() == x.numel()) {  // one row
    if (out.numel() > 0) row(out.raw_data(), x.raw_data(), out.numel(), 1, 1);
    return;
  }
  const auto x_size = static_cast<std::int64_t>(size_of(x.dtype()));
  StridedLoop<2>({&out, &x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[0] * out_size, x.raw_data() + offsets[1] * x_size, n, strides[0], strides[1]);
  });
}

inline void run_rows(BinaryRow row, const Tensor& out, const Tensor& a, const Tensor& b) {
  if (out.is_contiguous() && a.is_contiguous() && b.is_contiguous() && a.numel() == out.numel() &&
      b.numel() == out.numel()) {  // one row
    if (out.numel() > 0) row(out.raw_data(), a.raw_data(), b.raw_data(), out.numel(), 1, 1, 1);
    return;
  }
  const auto out_size = static_cast<std::int64_t>(size_of(out.dtype()));
  const auto in_size = static_cast<std::int64_t>(size_of(a.dtype()));
  StridedLoop<3>({&out, &a, &b}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
    row(out.raw_data() + offsets[0] * out_size, a.raw_data() + offsets[1] * in_size,
        b.raw_data() + offsets[2] * in_size, n, strides[0], strides[1], strides[2]);
  });
}

}  // namespace feral::cpu
