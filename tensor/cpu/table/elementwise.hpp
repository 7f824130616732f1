// The CPU's part of the table; contracts in tensor/kernels/elementwise.hpp.
#pragma once

#include "tensor/kernels/elementwise.hpp"

namespace feral::cpu {

void unary(UnaryKernel kernel, const Tensor& out, const Tensor& x);
void binary(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void compare(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void where(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b);
void affine(const Tensor& out, const Tensor& x, double scale, double shift);
void copy(const Tensor& out, const Tensor& x);
void fill(const Tensor& out, double value);

inline constexpr ElementwiseKernels elementwise_kernels = {
    .unary = unary,
    .binary = binary,
    .affine = affine,
    .compare = compare,
    .where = where,
    .copy = copy,
    .fill = fill,
};

}  // namespace feral::cpu
