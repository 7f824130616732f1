// The rows of those functions of two operands that are computed element by element.
#pragma once

#include "tensor/cpu/row_types.hpp"
#include "tensor/kernels/elementwise.hpp"

namespace feral::cpu {

// nullptr for a function that tensor/cpu/binary.cpp has.
BinaryRow binary_elements_of(BinaryKernel kernel, DType dtype);

}  // namespace feral::cpu
