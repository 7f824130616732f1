// The CPU's part of the table; contracts in tensor/kernels/sorting.hpp.
#pragma once

#include "tensor/kernels/sorting.hpp"

namespace feral::cpu {

inline constexpr SortingKernels sorting_kernels = {};

}  // namespace feral::cpu
