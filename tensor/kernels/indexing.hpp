// Kernels that read and write by index.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct IndexingKernels {};

}  // namespace feral
