// The reductions that stand in files of their own, for one another and for reduce().
#pragma once

#include "tensor/dim_set.hpp"
#include "tensor/tensor.hpp"

namespace feral::cpu {

// The sum divided by `divisor`; integers are not divided.
void reduce_sum(const Tensor& out, const Tensor& x, DimSet dims, double divisor);

// The largest or smallest element; a NaN is the result.
void reduce_extreme(const Tensor& out, const Tensor& x, DimSet dims, bool largest);

}  // namespace feral::cpu
