// The CPU's part of the table; contracts in tensor/kernels/sorting.hpp.
#pragma once

#include "tensor/kernels/sorting.hpp"

namespace feral::cpu {

void argsort(const Tensor& out, const Tensor& x, int dim, bool descending);
void topk(const Tensor& out, const Tensor& x, int dim, bool largest);
void kthvalue(const Tensor& out, const Tensor& x, int dim, std::int64_t k);
void unique(const Tensor& out, const Tensor& x);
void searchsorted(const Tensor& out, const Tensor& sorted, const Tensor& values, bool right);
void bincount(const Tensor& out, const Tensor& x, const Tensor& weights);
void histogram(const Tensor& out, const Tensor& x, double low, double high);
IntegerRange integer_range(const Tensor& x);
FloatRange float_range(const Tensor& x);

inline constexpr SortingKernels sorting_kernels = {
    .argsort = argsort,
    .topk = topk,
    .kthvalue = kthvalue,
    .unique = unique,
    .searchsorted = searchsorted,
    .bincount = bincount,
    .histogram = histogram,
    .integer_range = integer_range,
    .float_range = float_range,
};

}  // namespace feral::cpu
