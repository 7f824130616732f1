// Which type an operation on two types has: PyTorch's promotion of tensors.
#pragma once

#include "tensor/dtype.hpp"

namespace feral {

// Symmetric. A bool gives way to everything, an integer to every float; of two floats or two signed integers the
// wider one wins; uint8 with a signed type needs one wide enough for both (int16 for int8); float16 with bfloat16
// is float32.
DType promote(DType a, DType b) noexcept;

}  // namespace feral
