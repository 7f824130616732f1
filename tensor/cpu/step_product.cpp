// The matrix lies in panels of two vectors' columns, blocks of rows one behind the other: a block of a panel stays
// in the first-level cache while all rows of the other operand go over it, and the next one is fetched ahead. A
// BLAS would pack the matrix again for each product.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/step_product.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "tensor/cpu/step_product.hpp"
#include "tensor/cpu/turn-inl.hpp"

#ifndef FERAL_TENSOR_CPU_STEP_PRODUCT_ONCE
#define FERAL_TENSOR_CPU_STEP_PRODUCT_ONCE
namespace feral::cpu {

// Rows of the matrix that stand together.
inline constexpr std::int64_t step_block = 256;

template <class T>
struct StepPacking {
  const T* from;
  std::int64_t k, n, row_step, column_step;
  T* to;
};

template <class T>
struct StepProduct {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row;
  const T* packed;
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int step_vectors = 2;
// Sums, a row of the matrix and an element of the other operand fill the registers.
constexpr int step_rows = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

template <class T>
std::int64_t step_width() {
  return step_vectors * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

template <class T>
using StepTile = void (*)(std::int64_t k, const T* a, std::int64_t a_row, const T* packed, T* c, std::int64_t c_row,
                          bool accumulate);

template <class T, int rows>
HWY_ATTR void step_tile(std::int64_t k, const T* a, std::int64_t a_row, const T* HWY_RESTRICT packed, T* c,
                        std::int64_t c_row, bool accumulate) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  using V = hn::Vec<decltype(d)>;
  V left[rows], right[rows];
  HWY_UNROLL(16)
  for (int r = 0; r < rows; ++r) {
    left[r] = hn::Zero(d);
    right[r] = hn::Zero(d);
  }
  for (std::int64_t l = 0; l < k; ++l, packed += 2 * lanes) {
    const V first = hn::LoadU(d, packed);
    const V second = hn::LoadU(d, packed + lanes);
    HWY_UNROLL(16)
    for (int r = 0; r < rows; ++r) {
      const V element = hn::Set(d, a[r * a_row + l]);
      left[r] = hn::MulAdd(element, first, left[r]);
      right[r] = hn::MulAdd(element, second, right[r]);
    }
  }
  HWY_UNROLL(16)
  for (int r = 0; r < rows; ++r) {
    T* to = c + r * c_row;
    hn::StoreU(accumulate ? hn::Add(left[r], hn::LoadU(d, to)) : left[r], d, to);
    hn::StoreU(accumulate ? hn::Add(right[r], hn::LoadU(d, to + lanes)) : right[r], d, to + lanes);
  }
}

template <class T, int... row>
constexpr std::array<StepTile<T>, sizeof...(row)> step_tiles(std::integer_sequence<int, row...>) {
  return {step_tile<T, row + 1>...};
}

template <class T>
void step_multiply(const StepProduct<T>& p) {
  static constexpr auto tiles = step_tiles<T>(std::make_integer_sequence<int, step_rows>());
  const std::int64_t width = step_width<T>();
  HWY_ALIGN T edge[step_rows * step_vectors * hn::MaxLanes(hn::ScalableTag<T>())];
  const T* packed = p.packed;
  for (std::int64_t l = 0; l < p.k; l += step_block) {
    const std::int64_t depth = std::min(step_block, p.k - l);
    const bool accumulate = p.accumulate || l > 0;
    for (std::int64_t j = 0; j < p.n; j += width, packed += depth * width) {
      const std::int64_t columns = std::min(width, p.n - j);
      std::int64_t blocks = (p.m + step_rows - 1) / step_rows;
      for (std::int64_t i = 0; i < p.m; --blocks) {  // blocks of about equal height
        const std::int64_t rows = (p.m - i + blocks - 1) / blocks;
        const T* a = p.a + i * p.a_row + l;
        T* c = p.c + i * p.c_row + j;
        const auto tile = tiles[static_cast<std::size_t>(rows - 1)];
        if (columns == width) {
          tile(depth, a, p.a_row, packed, c, p.c_row, accumulate);
        } else {
          tile(depth, a, p.a_row, packed, edge, width, false);
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t q = 0; q < columns; ++q) {
              T& to = c[r * p.c_row + q];
              to = edge[r * width + q] + (accumulate ? to : T{0});
            }
          }
        }
        i += rows;
      }
    }
  }
}

template <class T>
HWY_ATTR void step_pack(const StepPacking<T>& p) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::int64_t width = step_width<T>();
  T* to = p.to;
  for (std::int64_t l = 0; l < p.k; l += step_block) {
    const std::int64_t depth = std::min(step_block, p.k - l);
    for (std::int64_t j = 0; j < p.n; j += width, to += depth * width) {
      const std::int64_t columns = std::min(width, p.n - j);
      const T* from = p.from + l * p.row_step + j * p.column_step;
      if (columns < width) std::fill_n(to, depth * width, T{0});
      if (p.column_step == 1 && columns == width) {
        for (std::int64_t r = 0; r < depth; ++r) {
          hn::StoreU(hn::LoadU(d, from + r * p.row_step), d, to + r * width);
          hn::StoreU(hn::LoadU(d, from + r * p.row_step + lanes), d, to + r * width + lanes);
        }
      } else if (p.column_step == 1) {
        for (std::int64_t r = 0; r < depth; ++r) std::copy_n(from + r * p.row_step, columns, to + r * width);
      } else {
        turn(to, width, from, p.column_step, columns, depth);
      }
    }
  }
}

std::int64_t step_width_floats() { return step_width<float>(); }
std::int64_t step_width_doubles() { return step_width<double>(); }
void step_multiply_floats(const StepProduct<float>& p) { step_multiply(p); }
void step_multiply_doubles(const StepProduct<double>& p) { step_multiply(p); }
void step_pack_floats(const StepPacking<float>& p) { step_pack(p); }
void step_pack_doubles(const StepPacking<double>& p) { step_pack(p); }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(step_width_floats);
HWY_EXPORT(step_width_doubles);
HWY_EXPORT(step_multiply_floats);
HWY_EXPORT(step_multiply_doubles);
HWY_EXPORT(step_pack_floats);
HWY_EXPORT(step_pack_doubles);

namespace {

template <class T>
std::size_t packed_bytes(std::int64_t k, std::int64_t n) {
  std::int64_t width;
  if constexpr (sizeof(T) == 4) {
    width = HWY_DYNAMIC_DISPATCH(step_width_floats)();
  } else {
    width = HWY_DYNAMIC_DISPATCH(step_width_doubles)();
  }
  return static_cast<std::size_t>(k * ((n + width - 1) / width) * width) * sizeof(T);
}

}  // namespace

template <class T>
PackedMatrix<T>::PackedMatrix(const T* from, std::int64_t k, std::int64_t n, std::int64_t row_step,
                              std::int64_t column_step)
    : k_(k), n_(n), memory_(packed_bytes<T>(k, n)) {
  const StepPacking<T> packing{from, k, n, row_step, column_step, reinterpret_cast<T*>(memory_.get())};
  if constexpr (sizeof(T) == 4) {
    HWY_DYNAMIC_DISPATCH(step_pack_floats)(packing);
  } else {
    HWY_DYNAMIC_DISPATCH(step_pack_doubles)(packing);
  }
}

template <class T>
void PackedMatrix<T>::multiply(std::int64_t m, const T* a, std::int64_t lda, T* c, std::int64_t ldc,
                               bool accumulate) const {
  const StepProduct<T> product{m, n_, k_, a, lda, reinterpret_cast<const T*>(memory_.get()), c, ldc, accumulate};
  if constexpr (sizeof(T) == 4) {
    HWY_DYNAMIC_DISPATCH(step_multiply_floats)(product);
  } else {
    HWY_DYNAMIC_DISPATCH(step_multiply_doubles)(product);
  }
}

template class PackedMatrix<float>;
template class PackedMatrix<double>;

}  // namespace feral::cpu
#endif  // HWY_ONCE
