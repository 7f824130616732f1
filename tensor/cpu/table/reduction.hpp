// The CPU's part of the table; contracts in tensor/kernels/reduction.hpp.
#pragma once

#include "tensor/kernels/reduction.hpp"

namespace feral::cpu {

void sum_to(const Tensor& out, const Tensor& x);
void reduce(ReduceKernel kernel, const Tensor& out, const Tensor& x, DimSet dims);
void norm(const Tensor& out, const Tensor& x, DimSet dims, double p);
void var(const Tensor& out, const Tensor& x, DimSet dims, double correction, bool root);
void logsumexp(const Tensor& out, const Tensor& x, DimSet dims);
void argmax(const Tensor& out, const Tensor& x, int dim);
void argmin(const Tensor& out, const Tensor& x, int dim);
void median(const Tensor& out, const Tensor& x, int dim);
void scan(ScanKernel kernel, const Tensor& out, const Tensor& x, int dim, bool reverse);
void recurrence(const Tensor& out, const Tensor& a, const Tensor& b, int dim, bool reverse);
void softmax(const Tensor& out, const Tensor& x, int dim, bool logarithm);

inline constexpr ReductionKernels reduction_kernels = {
    .sum_to = sum_to,
    .reduce = reduce,
    .norm = norm,
    .var = var,
    .logsumexp = logsumexp,
    .argmax = argmax,
    .argmin = argmin,
    .median = median,
    .scan = scan,
    .recurrence = recurrence,
    .softmax = softmax,
};

}  // namespace feral::cpu
