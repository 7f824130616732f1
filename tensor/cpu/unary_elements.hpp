// The rows of those functions of one operand that are computed element by element.
#pragma once

#include "tensor/cpu/row_types.hpp"
#include "tensor/kernels/elementwise.hpp"

namespace feral::cpu {

// nullptr for a function that tensor/cpu/unary.cpp has as vectors.
UnaryRow unary_elements_of(UnaryKernel kernel, DType dtype);

}  // namespace feral::cpu
