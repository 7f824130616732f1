// What the normalization kernels ask for beside vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tensor/racy.hpp"
#include "tensor/tensor.hpp"

namespace feral::cpu {

// Rows that are summed in the elements' type before the sums are added in float64.
inline constexpr std::int64_t rows_a_partial_sum = 64;

// A private copy of a parameter that may be live, or `otherwise` where there is none.
template <class T>
void copy_or_fill(T* to, const Tensor& parameter, std::int64_t n, T otherwise) {
  if (parameter.defined()) {
    racy_copy(to, parameter.data<T>(), static_cast<std::size_t>(n));
  } else {
    std::fill_n(to, n, otherwise);
  }
}

template <class T>
void convert_totals(const Tensor& to, const double* totals) {
  for (std::int64_t j = 0; j < to.numel(); ++j) to.data<T>()[j] = static_cast<T>(totals[j]);
}

}  // namespace feral::cpu
