// Kernels that order and count.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct SortingKernels {};

}  // namespace feral
