// The CPU's part of the table; contracts in tensor/kernels/reduction.hpp.
#pragma once

#include "tensor/kernels/reduction.hpp"

namespace feral::cpu {

void sum_to(const Tensor& out, const Tensor& x);
void argmax(const Tensor& out, const Tensor& x, int dim);

inline constexpr ReductionKernels reduction_kernels = {
    .sum_to = sum_to,
    .argmax = argmax,
};

}  // namespace feral::cpu
