// Strided operands brought into contiguous rows a tile at a time, so that kernels meet no stride but 0 and 1.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

inline constexpr std::int64_t short_row = 16;            // rows below this are handled several at once
inline constexpr std::int64_t gathered_elements = 4096;  // of a row in scratch memory

// A tile of turned operands. Its rows are long, for the prefetchers' sake: they fetch what is not turned. Its
// columns are several lines of the cache, and it fits into the second level. Rows lie apart by more than a power of
// two.
struct TileShape {
  explicit constexpr TileShape(std::size_t largest_element)
      : columns(std::min<std::int64_t>(1024 / static_cast<std::int64_t>(largest_element), 512)),
        stride(columns + 16) {}
  std::int64_t rows = 64;
  std::int64_t columns;
  std::int64_t stride;
};
inline constexpr std::size_t tile_bytes = 64 * (1024 + 16 * 8);  // at least those of every shape

// to[r * to_stride + c] = from[c * from_stride + r], strides in elements of `size` bytes: 1, 2, 4 or 8.
void turn_tile(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
               std::int64_t rows, std::int64_t columns, std::size_t size);

// to[i * to_stride] = from[i * from_stride].
void copy_strided(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                  std::int64_t n, std::size_t size);

// to[r * n + i] = from[r * row_stride + i * stride], and the way back: for short rows.
void gather_rows(std::byte* to, const std::byte* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
                 std::int64_t stride, std::size_t size);
void scatter_rows(std::byte* to, const std::byte* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
                  std::int64_t stride, std::size_t size);

// What for_each_contiguous_row does with a loop that has no long contiguous rows. Operand 0 is the output.
template <int operands, class Row>
class Tiles {
 public:
  using Strides = std::array<std::int64_t, operands>;
  using Pointers = std::array<std::byte*, operands>;

  Tiles(const StridedLoop<operands>& loop, const Pointers& data, const std::array<std::size_t, operands>& sizes,
        const Row& row)
      : loop_(loop), data_(data), sizes_(sizes), row_(row), shape_(*std::max_element(sizes.begin(), sizes.end())) {}

  // As many short rows as fill a tile become one row.
  void short_rows() {
    const auto& inner = loop_.dim(0);
    const auto& outer = loop_.dim(1);
    const std::int64_t n = inner.size;
    const std::int64_t most = gathered_elements / n;
    Strides strides;
    bool gathered[operands];
    for (int k = 0; k < operands; ++k) {
      strides[k] = inner.strides[k] == 0 && outer.strides[k] == 0 ? 0 : 1;
      gathered[k] = strides[k] == 1 && (inner.strides[k] != 1 || outer.strides[k] != n);
    }
    loop_.for_each_block(2, [&](const Strides& offsets) {
      for (std::int64_t first = 0; first < outer.size; first += most) {
        const std::int64_t rows = std::min(most, outer.size - first);
        Pointers pointers;
        for (int k = 0; k < operands; ++k) {
          pointers[k] = at(k, offsets[k] + first * outer.strides[k]);
          if (!gathered[k]) continue;
          if (k > 0) {
            gather_rows(scratch_[k], pointers[k], rows, n, outer.strides[k], inner.strides[k], sizes_[k]);
          }
          pointers[k] = scratch_[k];
        }
        row_(pointers, rows * n, strides);
        if (gathered[0]) {
          scatter_rows(at(0, offsets[0] + first * outer.strides[0]), scratch_[0], rows, n, outer.strides[0],
                       inner.strides[0], sizes_[0]);
        }
      }
    });
  }

  // Whole tiles where an operand is contiguous in the next dimension, long rows where none is.
  void tiles() {
    const auto& inner = loop_.dim(0);
    bool turned[operands] = {};
    bool any_turned = false;
    for (int k = 0; k < operands; ++k) {
      turned[k] = !simple(inner.strides[k]) && loop_.dims() > 1 && loop_.dim(1).strides[k] == 1;
      any_turned = any_turned || turned[k];
    }
    const std::int64_t outer_size = any_turned ? loop_.dim(1).size : 1;
    const Strides outer = any_turned ? loop_.dim(1).strides : Strides{};
    const std::int64_t most = any_turned ? shape_.columns : gathered_elements;
    loop_.for_each_block(any_turned ? 2 : 1, [&](const Strides& offsets) {
      for (std::int64_t first = 0; first < inner.size; first += most) {
        const std::int64_t n = std::min(most, inner.size - first);
        for (std::int64_t first_row = 0; first_row < outer_size; first_row += shape_.rows) {
          const std::int64_t rows = std::min(shape_.rows, outer_size - first_row);
          Pointers corner;
          for (int k = 0; k < operands; ++k) {
            corner[k] = at(k, offsets[k] + first_row * outer[k] + first * inner.strides[k]);
            if (turned[k] && k > 0) {
              turn_tile(scratch_[k], shape_.stride, corner[k], inner.strides[k], rows, n, sizes_[k]);
            }
          }
          for (std::int64_t r = 0; r < rows; ++r) tile_row(corner, turned, outer, r, n);
          if (turned[0]) turn_tile(corner[0], inner.strides[0], scratch_[0], shape_.stride, n, rows, sizes_[0]);
        }
      }
    });
  }

 private:
  static bool simple(std::int64_t stride) { return stride == 0 || stride == 1; }

  std::byte* at(int k, std::int64_t offset) const {
    return data_[k] + offset * static_cast<std::int64_t>(sizes_[k]);
  }

  void tile_row(const Pointers& corner, const bool (&turned)[operands], const Strides& outer, std::int64_t r,
                std::int64_t n) {
    const Strides& inner = loop_.dim(0).strides;
    Pointers pointers;
    Strides strides;
    for (int k = 0; k < operands; ++k) {
      const auto size = static_cast<std::int64_t>(sizes_[k]);
      strides[k] = inner[k] == 0 ? 0 : 1;
      pointers[k] = turned[k] ? scratch_[k] + r * shape_.stride * size : corner[k] + r * outer[k] * size;
      if (turned[k] || simple(inner[k])) continue;
      if (k > 0) copy_strided(scratch_[k], 1, pointers[k], inner[k], n, sizes_[k]);
      pointers[k] = scratch_[k];
    }
    row_(pointers, n, strides);
    if (!turned[0] && !simple(inner[0])) {
      copy_strided(corner[0] + r * outer[0] * static_cast<std::int64_t>(sizes_[0]), inner[0], scratch_[0], 1, n,
                   sizes_[0]);
    }
  }

  const StridedLoop<operands>& loop_;
  const Pointers& data_;
  const std::array<std::size_t, operands>& sizes_;
  const Row& row_;
  const TileShape shape_;
  alignas(64) std::byte scratch_[operands][tile_bytes];
};

// Not inlined: its scratch memory would be part of every caller.
template <int operands, class Row>
[[gnu::noinline]] void for_each_tile(const StridedLoop<operands>& loop,
                                     const std::array<std::byte*, operands>& data,
                                     const std::array<std::size_t, operands>& sizes, const Row& row) {
  Tiles<operands, Row> tiles(loop, data, sizes, row);
  if (loop.dims() > 1 && loop.dim(0).size < short_row) {
    tiles.short_rows();
  } else {
    tiles.tiles();
  }
}

// Calls row(pointers, n, strides) over all of `loop`, in any order, strides 0 or 1; operand 0 is the output. Other
// operands are brought into scratch memory first, or written back from there.
template <int operands, class Row>
void for_each_contiguous_row(const StridedLoop<operands>& loop, const std::array<std::byte*, operands>& data,
                             const std::array<std::size_t, operands>& sizes, const Row& row) {
  const auto plain_rows = [&](const StridedLoop<operands>& plain) {
    plain.for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
      std::array<std::byte*, operands> pointers;
      for (int k = 0; k < operands; ++k) pointers[k] = data[k] + offsets[k] * static_cast<std::int64_t>(sizes[k]);
      row(pointers, n, strides);
    });
  };
  if (loop.empty()) return;
  if (loop.scattered(0) == 0) {
    if (loop.dims() == 1 || loop.dim(0).size >= short_row) return plain_rows(loop);
    return for_each_tile<operands>(loop, data, sizes, row);
  }
  const StridedLoop<operands> ordered = loop.in_memory_order();
  if (ordered.scattered(0) == 0 && (ordered.dims() == 1 || ordered.dim(0).size >= short_row)) {
    return plain_rows(ordered);
  }
  for_each_tile<operands>(ordered, data, sizes, row);
}

}  // namespace feral::cpu
