// The CPU's part of the table; contracts in tensor/kernels/product.hpp.
#pragma once

#include "tensor/kernels/product.hpp"

namespace feral::cpu {

void matmul(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);
void bmm(const Tensor& out, const Tensor& a, const Tensor& b);
void fill_rows(const Tensor& out, const Tensor& row);

inline constexpr ProductKernels product_kernels = {
    .matmul = matmul,
    .bmm = bmm,
    .fill_rows = fill_rows,
};

}  // namespace feral::cpu
