// The CPU's part of the table; contracts in tensor/kernels/indexing.hpp.
#pragma once

#include "tensor/kernels/indexing.hpp"

namespace feral::cpu {

inline constexpr IndexingKernels indexing_kernels = {};

}  // namespace feral::cpu
