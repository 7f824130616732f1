// What the compiler makes of plain loops on this machine: the yardstick of memory-bound kernels. No function is
// inlined into its caller.
#pragma once

#include <cstddef>

namespace plain {

void add(float* out, const float* a, const float* b, std::size_t n);
void mul(float* out, const float* a, const float* b, std::size_t n);
void relu(float* out, const float* x, std::size_t n);
void scale(float* out, const float* x, float factor, std::size_t n);

}  // namespace plain
