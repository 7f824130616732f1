// Moving strided elements. A power of two as row stride, common in tensors, puts the lines of a column into few
// sets of the cache, from which they are evicted before their neighbours are asked for: so squares are transposed
// in registers, which read and write whole vectors, lines where those are as long.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/tiles.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <cstring>

#include "tensor/cpu/tiles.hpp"
#include "tensor/cpu/visit_size.hpp"

#ifndef FERAL_TENSOR_CPU_TILES_ONCE
#define FERAL_TENSOR_CPU_TILES_ONCE
namespace feral::cpu {
using TurnTile = void (*)(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                          std::int64_t rows, std::int64_t columns);
using CopyStrided = void (*)(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                             std::int64_t n);
}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// Transposes within each 128-bit block: `group` vectors, as many as a block has lanes. Each step takes the highest
// bit of the vector's number for the lowest of the lane's and the highest of the lane's for the lowest of the
// vector's.
template <class D, int lanes>
HWY_ATTR HWY_INLINE void turn_blocks(D d, hn::Vec<D> (&group)[lanes]) {
  for (int step = 1; step < lanes; step *= 2) {
    hn::Vec<D> next[lanes];
    for (int j = 0; j < lanes / 2; ++j) {
      next[2 * j] = hn::InterleaveLower(d, group[j], group[j + lanes / 2]);
      next[2 * j + 1] = hn::InterleaveUpper(d, group[j], group[j + lanes / 2]);
    }
    for (int j = 0; j < lanes; ++j) group[j] = next[j];
  }
}

// A square of as many rows as a vector of D has lanes.
template <class D, class T = hn::TFromD<D>>
HWY_ATTR HWY_INLINE void turn_square(D d, T* to, std::int64_t to_stride, const T* from, std::int64_t from_stride) {
  constexpr int block = 16 / sizeof(T);  // lanes of 128 bits
  constexpr int blocks = static_cast<int>(hn::MaxLanes(D())) / block;
  static_assert(blocks == 1 || blocks == 2 || blocks == 4);
  hn::Vec<D> v[blocks][block];
  for (int b = 0; b < blocks; ++b) {
    for (int j = 0; j < block; ++j) v[b][j] = hn::LoadU(d, from + (b * block + j) * from_stride);
    turn_blocks<D, block>(d, v[b]);
  }
  for (int j = 0; j < block; ++j) {
    T* const out = to + j * to_stride;
    const std::int64_t next = block * to_stride;
    if constexpr (blocks == 1) {
      hn::StoreU(v[0][j], d, out);
    } else if constexpr (blocks == 2) {
      hn::StoreU(hn::ConcatLowerLower(d, v[1][j], v[0][j]), d, out);
      hn::StoreU(hn::ConcatUpperUpper(d, v[1][j], v[0][j]), d, out + next);
    } else {
      const auto even_low = hn::ConcatLowerLower(d, v[2][j], v[0][j]);
      const auto even_high = hn::ConcatUpperUpper(d, v[2][j], v[0][j]);
      const auto odd_low = hn::ConcatLowerLower(d, v[3][j], v[1][j]);
      const auto odd_high = hn::ConcatUpperUpper(d, v[3][j], v[1][j]);
      hn::StoreU(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(odd_low), even_low), d, out);
      hn::StoreU(hn::OddEvenBlocks(odd_low, hn::SwapAdjacentBlocks(even_low)), d, out + next);
      hn::StoreU(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(odd_high), even_high), d, out + 2 * next);
      hn::StoreU(hn::OddEvenBlocks(odd_high, hn::SwapAdjacentBlocks(even_high)), d, out + 3 * next);
    }
  }
}

#endif

// By squares of at most `side`, what is left by smaller ones.
template <int side, class T>
HWY_ATTR void turn(T* to, std::int64_t to_stride, const T* from, std::int64_t from_stride, std::int64_t rows,
                   std::int64_t columns) {
#if HWY_TARGET != HWY_SCALAR
  constexpr int least = 16 / sizeof(T);
  if constexpr (side >= least) {
    const hn::CappedTag<T, side> d;
    constexpr std::int64_t lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, side>()));
    const std::int64_t whole_rows = rows - rows % lanes;
    const std::int64_t whole_columns = columns - columns % lanes;
    const auto square = [&](std::int64_t r, std::int64_t c) HWY_ATTR {
      turn_square(d, to + r * to_stride + c, to_stride, from + c * from_stride + r, from_stride);
    };
    if (from_stride > to_stride) {  // neighbouring lines on the side with the longer rows
      for (std::int64_t c = 0; c < whole_columns; c += lanes) {
        for (std::int64_t r = 0; r < whole_rows; r += lanes) square(r, c);
      }
    } else {
      for (std::int64_t r = 0; r < whole_rows; r += lanes) {
        for (std::int64_t c = 0; c < whole_columns; c += lanes) square(r, c);
      }
    }
    constexpr int smaller = static_cast<int>(lanes) / 2;
    if (whole_columns < columns && whole_rows > 0) {
      turn<smaller>(to + whole_columns, to_stride, from + whole_columns * from_stride, from_stride, whole_rows,
                    columns - whole_columns);
    }
    if (whole_rows < rows) {
      turn<smaller>(to + whole_rows * to_stride, to_stride, from + whole_rows, from_stride, rows - whole_rows,
                    columns);
    }
    return;
  }
#endif
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) to[r * to_stride + c] = from[c * from_stride + r];
  }
}

template <class T>
HWY_ATTR void turn_tile_of(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                           std::int64_t rows, std::int64_t columns) {
  turn<16>(reinterpret_cast<T*>(to), to_stride, reinterpret_cast<const T*>(from), from_stride, rows, columns);
}

template <class T>
HWY_ATTR void copy_strided_of(std::byte* to_bytes, std::int64_t to_stride, const std::byte* from_bytes,
                              std::int64_t from_stride, std::int64_t n) {
  T* const to = reinterpret_cast<T*>(to_bytes);
  const T* const from = reinterpret_cast<const T*>(from_bytes);
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  if (to_stride == 1 && from_stride == 2) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (; i + lanes < n; i += lanes) {  // not up to n: the last element's neighbour may lie outside of the tensor
      hn::StoreU(hn::ConcatEven(d, hn::LoadU(d, from + 2 * i + lanes), hn::LoadU(d, from + 2 * i)), d, to + i);
    }
  }
  // Two of each, every other one stored; what lies between is not touched.
  if constexpr (sizeof(T) >= 4 && (HWY_MEM_OPS_MIGHT_FAULT == 0 || HWY_TARGET == HWY_AVX2)) {
    if (to_stride == 2 && from_stride == 1) {
      const hn::ScalableTag<T> d;
      const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
      const auto number = hn::Iota(d, T{0});
      const auto even = hn::Eq(hn::And(number, hn::Set(d, T{1})), hn::Zero(d));
      const auto lower = hn::IndicesFromVec(d, hn::ShiftRight<1>(number));
      const auto upper =
          hn::IndicesFromVec(d, hn::ShiftRight<1>(hn::Add(number, hn::Set(d, static_cast<T>(lanes)))));
      for (; i + lanes <= n; i += lanes) {
        const auto v = hn::LoadU(d, from + i);
        hn::BlendedStore(hn::TableLookupLanes(v, lower), even, d, to + 2 * i);
        hn::BlendedStore(hn::TableLookupLanes(v, upper), even, d, to + 2 * i + lanes);
      }
    }
  }
#endif
  if (to_stride == 1) {
    for (; i < n; ++i) to[i] = from[i * from_stride];
    return;
  }
  for (; i < n; ++i) to[i * to_stride] = from[i * from_stride];
}

TurnTile pick_turn_tile(std::size_t size) {
  return size == 1   ? turn_tile_of<std::uint8_t>
         : size == 2 ? turn_tile_of<std::uint16_t>
         : size == 4 ? turn_tile_of<std::uint32_t>
                     : turn_tile_of<std::uint64_t>;
}

CopyStrided pick_copy_strided(std::size_t size) {
  return size == 1   ? copy_strided_of<std::uint8_t>
         : size == 2 ? copy_strided_of<std::uint16_t>
         : size == 4 ? copy_strided_of<std::uint32_t>
                     : copy_strided_of<std::uint64_t>;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(pick_turn_tile);
HWY_EXPORT(pick_copy_strided);

void turn_tile(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
               std::int64_t rows, std::int64_t columns, std::size_t size) {
  HWY_DYNAMIC_DISPATCH(pick_turn_tile)(size)(to, to_stride, from, from_stride, rows, columns);
}

void copy_strided(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                  std::int64_t n, std::size_t size) {
  HWY_DYNAMIC_DISPATCH(pick_copy_strided)(size)(to, to_stride, from, from_stride, n);
}

namespace {

template <class T>
void gather(T* to, const T* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride, std::int64_t stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) to[r * n + i] = from[r * row_stride + i * stride];
  }
}

template <class T>
void scatter(T* to, const T* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
             std::int64_t stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) to[r * row_stride + i * stride] = from[r * n + i];
  }
}

}  // namespace

void gather_rows(std::byte* to, const std::byte* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
                 std::int64_t stride, std::size_t size) {
  if (row_stride == 0) {  // the same row again and again: what is there, twice as long
    gather_rows(to, from, 1, n, 1, stride, size);
    const std::size_t all = static_cast<std::size_t>(rows * n) * size;
    for (std::size_t done = static_cast<std::size_t>(n) * size; done < all; done *= 2) {
      std::memcpy(to + done, to, std::min(done, all - done));
    }
    return;
  }
  visit_size(size, [&]<class T>() {
    gather(reinterpret_cast<T*>(to), reinterpret_cast<const T*>(from), rows, n, row_stride, stride);
  });
}

void scatter_rows(std::byte* to, const std::byte* from, std::int64_t rows, std::int64_t n, std::int64_t row_stride,
                  std::int64_t stride, std::size_t size) {
  visit_size(size, [&]<class T>() {
    scatter(reinterpret_cast<T*>(to), reinterpret_cast<const T*>(from), rows, n, row_stride, stride);
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
