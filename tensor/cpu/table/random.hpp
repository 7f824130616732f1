// The CPU's part of the table; contracts in tensor/kernels/random.hpp.
#pragma once

#include "tensor/kernels/random.hpp"

namespace feral::cpu {

void dropout(const Tensor& out, const Tensor& x, const DropoutDraw& draw);
void uniform(const Tensor& out, double low, double high, std::uint64_t seed, std::uint64_t stream,
             std::uint64_t first_block);

inline constexpr RandomKernels random_kernels = {
    .dropout = dropout,
    .uniform = uniform,
};

}  // namespace feral::cpu
