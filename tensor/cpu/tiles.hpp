// Strided operands brought into contiguous rows a tile at a time, so that kernels meet no stride but 0 and 1.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

inline constexpr std::int64_t tile_columns = 64;
inline constexpr std::int64_t tile_rows = 64;

// to[r * to_stride + c] = from[c * from_stride + r], strides in elements of `size` bytes: 1, 2, 4 or 8.
void turn_tile(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
               std::int64_t rows, std::int64_t columns, std::size_t size);

// to[i * to_stride] = from[i * from_stride].
void copy_strided(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                  std::int64_t n, std::size_t size);

// Calls row(pointers, n, strides) over all of `loop`; operand 0 is the output. Operands whose innermost stride is
// neither 0 nor 1 are brought into scratch memory first, or written back from there: whole tiles where the next
// dimension is the contiguous one.
template <int operands, class Row>
void for_each_contiguous_row(const StridedLoop<operands>& loop, const std::array<std::byte*, operands>& data,
                             const std::array<std::size_t, operands>& sizes, const Row& row) {
  using Strides = std::array<std::int64_t, operands>;
  const auto& inner = loop.dim(0);
  bool plain = true;
  bool turned[operands] = {};
  bool any_turned = false;
  for (int k = 0; k < operands; ++k) {
    if (inner.strides[k] == 0 || inner.strides[k] == 1) continue;
    plain = false;
    turned[k] = k > 0 && loop.dims() > 1 && loop.dim(1).strides[k] == 1 && inner.size >= 8 && loop.dim(1).size >= 8;
    any_turned = any_turned || turned[k];
  }
  const auto at = [&](int k, std::int64_t offset) {
    return data[k] + offset * static_cast<std::int64_t>(sizes[k]);
  };
  if (plain || inner.size < 8) {
    loop.for_each_row([&](const Strides& offsets, std::int64_t n, const Strides& strides) {
      std::array<std::byte*, operands> pointers;
      for (int k = 0; k < operands; ++k) pointers[k] = at(k, offsets[k]);
      row(pointers, n, strides);
    });
    return;
  }
  alignas(64) std::byte scratch[operands][tile_rows * tile_columns * 8];
  const std::int64_t rows_size = any_turned ? loop.dim(1).size : 1;
  const Strides outer = any_turned ? loop.dim(1).strides : Strides{};
  loop.for_each_block(any_turned ? 2 : 1, [&](const Strides& offsets) {
    for (std::int64_t first_row = 0; first_row < rows_size; first_row += tile_rows) {
      const std::int64_t rows = std::min(tile_rows, rows_size - first_row);
      // Without a turned operand a row may be as long as the scratch.
      const std::int64_t most = any_turned ? tile_columns : tile_rows * tile_columns;
      for (std::int64_t first = 0; first < inner.size; first += most) {
        const std::int64_t n = std::min(most, inner.size - first);
        const auto origin = [&](int k, std::int64_t r) {
          return at(k, offsets[k] + (first_row + r) * outer[k] + first * inner.strides[k]);
        };
        for (int k = 1; k < operands; ++k) {
          if (turned[k]) turn_tile(scratch[k], tile_columns, origin(k, 0), inner.strides[k], rows, n, sizes[k]);
        }
        for (std::int64_t r = 0; r < rows; ++r) {
          std::array<std::byte*, operands> pointers;
          Strides strides;
          for (int k = 0; k < operands; ++k) {
            strides[k] = inner.strides[k] == 0 ? 0 : 1;
            pointers[k] = origin(k, r);
            if (inner.strides[k] == 0 || inner.strides[k] == 1) continue;
            if (turned[k]) {
              pointers[k] = scratch[k] + r * tile_columns * static_cast<std::int64_t>(sizes[k]);
            } else {
              if (k > 0) copy_strided(scratch[k], 1, pointers[k], inner.strides[k], n, sizes[k]);
              pointers[k] = scratch[k];
            }
          }
          row(pointers, n, strides);
          if (inner.strides[0] != 1 && inner.strides[0] != 0) {
            copy_strided(origin(0, r), inner.strides[0], scratch[0], 1, n, sizes[0]);
          }
        }
      }
    }
  });
}

}  // namespace feral::cpu
