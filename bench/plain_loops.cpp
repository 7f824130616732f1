#include "bench/plain_loops.hpp"

namespace plain {

void add(float* __restrict out, const float* __restrict a, const float* __restrict b, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

void mul(float* __restrict out, const float* __restrict a, const float* __restrict b, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

void relu(float* __restrict out, const float* __restrict x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] > 0 ? x[i] : 0;
}

void scale(float* __restrict out, const float* __restrict x, float factor, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * factor;
}

}  // namespace plain
