// The CPU's part of the table; contracts in tensor/kernels/elementwise.hpp.
#pragma once

#include "tensor/kernels/elementwise.hpp"

namespace feral::cpu {

void unary(UnaryKernel kernel, const Tensor& out, const Tensor& x);
void binary(BinaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void compare(CompareKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b);
void where(const Tensor& out, const Tensor& condition, const Tensor& a, const Tensor& b);
void ternary(TernaryKernel kernel, const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c,
             double value);
void parametric(ParametricKernel kernel, const Tensor& out, const Tensor& x, const double (&numbers)[3]);
void test(TestKernel kernel, const Tensor& out, const Tensor& x);
void isclose(const Tensor& out, const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan);
bool has_zero(const Tensor& x);
void affine(const Tensor& out, const Tensor& x, double scale, double shift);
void copy(const Tensor& out, const Tensor& x);
void fill(const Tensor& out, Scalar value);

inline constexpr ElementwiseKernels elementwise_kernels = {
    .unary = unary,
    .binary = binary,
    .affine = affine,
    .ternary = ternary,
    .parametric = parametric,
    .compare = compare,
    .test = test,
    .isclose = isclose,
    .has_zero = has_zero,
    .where = where,
    .copy = copy,
    .fill = fill,
};

}  // namespace feral::cpu
