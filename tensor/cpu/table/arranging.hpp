// The CPU's part of the table; contracts in tensor/kernels/arranging.hpp.
#pragma once

#include "tensor/kernels/arranging.hpp"

namespace feral::cpu {

void triangle(const Tensor& out, const Tensor& x, std::int64_t diagonal, bool upper);
void one_hot(const Tensor& out, const Tensor& x);
void arange(const Tensor& out, Scalar start, Scalar step);
void linspace(const Tensor& out, double start, double end);

inline constexpr ArrangingKernels arranging_kernels = {
    .triangle = triangle,
    .one_hot = one_hot,
    .arange = arange,
    .linspace = linspace,
};

}  // namespace feral::cpu
