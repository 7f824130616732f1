// The CPU's part of the table; contracts in tensor/kernels/random.hpp.
#pragma once

#include "tensor/kernels/random.hpp"

namespace feral::cpu {

void dropout(const Tensor& out, const Tensor& x, const DropoutDraw& draw);
void uniform(const Tensor& out, double low, double high, PhiloxPosition position);
void normal(const Tensor& out, double mean, double std, PhiloxPosition position);
void exponential(const Tensor& out, double rate, PhiloxPosition position);
void truncated_normal(const Tensor& out, double mean, double std, double low, double high, PhiloxPosition position);
void bernoulli(const Tensor& out, double probability, PhiloxPosition position);
void integers(const Tensor& out, std::int64_t low, std::uint64_t count, PhiloxPosition position);
void permutation(const Tensor& out, PhiloxPosition position);
void multinomial(const Tensor& out, const Tensor& weights, bool replacement, PhiloxPosition position);

inline constexpr RandomKernels random_kernels = {
    .dropout = dropout,
    .uniform = uniform,
    .normal = normal,
    .exponential = exponential,
    .truncated_normal = truncated_normal,
    .bernoulli = bernoulli,
    .integers = integers,
    .permutation = permutation,
    .multinomial = multinomial,
};

}  // namespace feral::cpu
