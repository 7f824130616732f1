// Products of integer matrices, wrapping around as PyTorch's do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace feral::cpu {

// Row-major C [m, n] += A × B. A with any strides, the rows of B and C contiguous.
template <class T>
void integer_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_row,
                  std::int64_t a_column, const T* b, std::int64_t ldb, T* c, std::int64_t ldc) {
  // Unsigned, so that overflow wraps; at least 32 bits wide, because narrower ones would be promoted to int.
  using Wrapping = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  // A block of B stays in the first-level cache while every row of A passes over it.
  constexpr std::int64_t depth = 32;
  constexpr std::int64_t width = 512 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t j = 0; j < n; j += width) {
    const std::int64_t columns = std::min(width, n - j);
    for (std::int64_t l = 0; l < k; l += depth) {
      const std::int64_t end = std::min(l + depth, k);
      for (std::int64_t i = 0; i < m; ++i) {
        T* row = c + i * ldc + j;
        for (std::int64_t p = l; p < end; ++p) {
          const auto factor = static_cast<Wrapping>(a[i * a_row + p * a_column]);
          const T* from = b + p * ldb + j;
          for (std::int64_t x = 0; x < columns; ++x) {
            row[x] = static_cast<T>(static_cast<Wrapping>(row[x]) + factor * static_cast<Wrapping>(from[x]));
          }
        }
      }
    }
  }
}

}  // namespace feral::cpu
