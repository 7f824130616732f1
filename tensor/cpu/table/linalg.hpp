// The CPU's part of the table; contracts in tensor/kernels/linalg.hpp.
#pragma once

#include "tensor/kernels/linalg.hpp"

namespace feral::cpu {

inline constexpr LinalgKernels linalg_kernels = {};

}  // namespace feral::cpu
