// Rows of elementwise kernels that work element by element, for functions that no vector instruction helps.
#pragma once

#include "tensor/cpu/row_types.hpp"

namespace feral::cpu {

template <class Function, class Out, class In>
void unary_elements(std::byte* out, const std::byte* x, std::int64_t n, std::int64_t out_stride,
                    std::int64_t x_stride) {
  const Function function;
  Out* to = reinterpret_cast<Out*>(out);
  const In* from = reinterpret_cast<const In*>(x);
  for (std::int64_t i = 0; i < n; ++i) to[i * out_stride] = static_cast<Out>(function(from[i * x_stride]));
}

template <class Function, class Out, class In>
void binary_elements(std::byte* out, const std::byte* a, const std::byte* b, std::int64_t n,
                     std::int64_t out_stride, std::int64_t a_stride, std::int64_t b_stride) {
  const Function function;
  Out* to = reinterpret_cast<Out*>(out);
  const In* from_a = reinterpret_cast<const In*>(a);
  const In* from_b = reinterpret_cast<const In*>(b);
  for (std::int64_t i = 0; i < n; ++i) {
    to[i * out_stride] = static_cast<Out>(function(from_a[i * a_stride], from_b[i * b_stride]));
  }
}

}  // namespace feral::cpu
