// C is computed in tiles of some rows by some vectors, held in registers over the whole depth k. A's elements are
// broadcast from where they lie, B's rows are read where they lie; a transposed B is first turned, a panel of
// columns at a time. No other copies: that is what small products gain over a BLAS.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/small_gemm.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "tensor/cpu/small_gemm.hpp"
#include "tensor/cpu/turn-inl.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_SMALL_GEMM_ONCE
#define FERAL_TENSOR_CPU_SMALL_GEMM_ONCE
namespace feral::cpu {

// A with its strides, so that a transposed one is just another; the rows of B and C contiguous.
template <class T>
struct SmallProduct {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row;
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET <= HWY_AVX2  // from there on masked loads and stores are instructions, and there are 16 registers
constexpr int registers = HWY_TARGET <= HWY_AVX3 ? 32 : 16;
constexpr int max_vectors = 8;

// How many rows a tile of that many vectors has at most: its sums, a row of B and an element of A fill the
// registers.
constexpr int rows_for(int vectors) { return vectors > 4 ? 1 : std::min((registers - 1 - vectors) / vectors, 12); }
constexpr int widest(std::int64_t m) { return m == 1 ? max_vectors : registers == 32 ? 4 : 3; }

template <class T>
using Tile = void (*)(const SmallProduct<T>& p, std::int64_t columns_of_last);

// The tile at p.a, p.b and p.c; of its last vector only the first columns.
template <class T, int rows, int vectors>
HWY_ATTR void tile(const SmallProduct<T>& p, std::int64_t columns_of_last) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(columns_of_last));
  V sums[rows][vectors];
  HWY_UNROLL(16)
  for (int r = 0; r < rows; ++r) {
    HWY_UNROLL(16)
    for (int v = 0; v < vectors; ++v) sums[r][v] = hn::Zero(d);
  }
  const T* a = p.a;
  const T* b = p.b;
  const std::int64_t a_row = p.a_row;
  for (std::int64_t l = 0; l < p.k; ++l, a += p.a_column, b += p.b_row) {
    V row[vectors];
    HWY_UNROLL(16)
    for (int v = 0; v < vectors - 1; ++v) row[v] = hn::LoadU(d, b + static_cast<std::size_t>(v) * lanes);
    row[vectors - 1] = hn::MaskedLoad(mask, d, b + (vectors - 1) * lanes);
    HWY_UNROLL(16)
    for (int r = 0; r < rows; ++r) {
      const V element = hn::Set(d, a[r * a_row]);
      HWY_UNROLL(16)
      for (int v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(element, row[v], sums[r][v]);
    }
  }
  HWY_UNROLL(16)
  for (int r = 0; r < rows; ++r) {
    T* c = p.c + r * p.c_row;
    HWY_UNROLL(16)
    for (int v = 0; v < vectors - 1; ++v) {
      T* to = c + static_cast<std::size_t>(v) * lanes;
      hn::StoreU(p.accumulate ? hn::Add(sums[r][v], hn::LoadU(d, to)) : sums[r][v], d, to);
    }
    T* to = c + (vectors - 1) * lanes;
    const V last = sums[r][vectors - 1];
    hn::BlendedStore(p.accumulate ? hn::Add(last, hn::MaskedLoad(mask, d, to)) : last, mask, d, to);
  }
}

// tile<T, 1, vectors>, tile<T, 2, vectors>, …
template <class T, int vectors, int... row>
constexpr std::array<Tile<T>, 16> tiles_of(std::integer_sequence<int, row...>) {
  return {tile<T, row + 1, vectors>...};
}
template <class T, int... vector>
constexpr std::array<std::array<Tile<T>, 16>, max_vectors> all_tiles(std::integer_sequence<int, vector...>) {
  return {tiles_of<T, vector + 1>(std::make_integer_sequence<int, rows_for(vector + 1)>())...};
}

// `turned`: p.b holds B's columns as rows of length p.b_row.
template <class T>
HWY_ATTR bool multiply(const SmallProduct<T>& p, bool turned) {
  static constexpr auto tiles = all_tiles<T>(std::make_integer_sequence<int, max_vectors>());
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  const std::int64_t all_vectors = (p.n + lanes - 1) / lanes;
  const std::int64_t panels = (all_vectors + widest(p.m) - 1) / widest(p.m);
  const std::int64_t vectors_of_panel = (all_vectors + panels - 1) / panels;
  const std::int64_t width = vectors_of_panel * lanes;
  std::optional<Workspace> workspace;
  if (turned) workspace.emplace(static_cast<std::size_t>(width * p.k) * sizeof(T));
  SmallProduct<T> part = p;
  for (std::int64_t column = 0; column < p.n; column += width) {
    const std::int64_t columns = std::min(width, p.n - column);
    if (turned) {
      T* panel = reinterpret_cast<T*>(workspace->get());
      turn(panel, width, p.b + column * p.b_row, p.b_row, columns, p.k);
      part.b = panel;
      part.b_row = width;
    } else {
      part.b = p.b + column;
    }
    const std::int64_t vectors = (columns + lanes - 1) / lanes;
    const auto& tiles_here = tiles[static_cast<std::size_t>(vectors - 1)];
    const std::int64_t most = rows_for(static_cast<int>(vectors));
    std::int64_t blocks = (p.m + most - 1) / most;
    for (std::int64_t row = 0; row < p.m; --blocks) {  // blocks of about equal height
      const std::int64_t rows = (p.m - row + blocks - 1) / blocks;
      part.a = p.a + row * p.a_row;
      part.c = p.c + row * p.c_row + column;
      tiles_here[static_cast<std::size_t>(rows - 1)](part, columns - (vectors - 1) * lanes);
      row += rows;
    }
  }
  return true;
}
#else
template <class T>
bool multiply(const SmallProduct<T>&, bool) {
  return false;
}
#endif

bool multiply_floats(const SmallProduct<float>& p, bool turned) { return multiply(p, turned); }
bool multiply_doubles(const SmallProduct<double>& p, bool turned) { return multiply(p, turned); }

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(multiply_floats);
HWY_EXPORT(multiply_doubles);

namespace {

// Measured against OpenBLAS 0.3.21 on AVX-512, whose own kernels for small matrices stop at 10⁶ multiplications.
bool is_worth_it(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 std::int64_t element) {
  constexpr std::int64_t panel_depth = 1024;  // a panel of four vectors stays in the second-level cache
  constexpr std::int64_t largest_b = std::int64_t{1} << 20;
  if (k == 0 || k > panel_depth || n * k * element > largest_b) return false;
  const std::int64_t row = n * element;  // bytes of a row of C; a vector has 64
  if (m * n * k > 1'000'000) return row >= 32 && m >= (transpose_b ? 16 : 4);
  if (transpose_b) return !transpose_a && m >= 16 && row >= 64;  // turning B must pay
  if (transpose_a) return m >= 4 && row >= 256;
  return m == 1 ? row >= 384 : m >= 4 && row >= 64;
}

template <class T, class Multiply>
bool try_small(Multiply multiply, bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
               std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
               std::int64_t ldc) {
  if (!(beta == 0 || beta == 1) || !is_worth_it(transpose_a, transpose_b, m, n, k, sizeof(T))) return false;
  return multiply({m, n, k, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, ldb, c, ldc, beta == 1},
                  transpose_b);
}

}  // namespace

bool small_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  return try_small<float>(HWY_DYNAMIC_DISPATCH(multiply_floats), transpose_a, transpose_b, m, n, k, a, lda, b, ldb,
                          beta, c, ldc);
}

bool small_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                std::int64_t lda, const double* b, std::int64_t ldb, double beta, double* c, std::int64_t ldc) {
  return try_small<double>(HWY_DYNAMIC_DISPATCH(multiply_doubles), transpose_a, transpose_b, m, n, k, a, lda, b,
                           ldb, beta, c, ldc);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
