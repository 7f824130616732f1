// Decompositions and solvers of matrices.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct LinalgKernels {};

}  // namespace feral
