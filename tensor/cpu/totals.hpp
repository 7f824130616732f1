// A tile of compensated float64 sums: what each addition rounds off is kept beside the sum (TwoSum; Knuth, The Art
// of Computer Programming, vol. 2, 4.2.2, theorem B), so that adding many partial sums costs no accuracy.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tensor/cpu/fold.hpp"

namespace feral::cpu {

inline double* sums_of(std::byte* tile) { return reinterpret_cast<double*>(tile); }
inline double* errors_of(std::byte* tile) { return reinterpret_cast<double*>(tile) + fold_columns; }

inline void start_totals(std::byte* tile, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) {
    sums_of(tile)[j] = 0;
    errors_of(tile)[j] = 0;
  }
}

inline void add_to(double& total, double& error, double x) {
  const double sum = total + x;
  const double added = sum - total;
  error += (total - (sum - added)) + (x - added);
  total = sum;
}

// An infinite or undefined sum has no error.
inline double compensated(double total, double error) { return std::isfinite(total) ? total + error : total; }

inline double total_of(const std::byte* tile, std::int64_t j) {
  const auto* sums = reinterpret_cast<const double*>(tile);
  return compensated(sums[j], sums[fold_columns + j]);
}

}  // namespace feral::cpu
