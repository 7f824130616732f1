// Which type an operation on two types has: PyTorch's promotion of tensors.
#pragma once

#include "tensor/dtype.hpp"
#include "tensor/tensor.hpp"

namespace feral {

// Symmetric. A bool gives way to everything, an integer to every float; of two floats or two signed integers the
// wider one wins; uint8 with a signed type needs one wide enough for both (int16 for int8); float16 with bfloat16
// is float32.
DType promote(DType a, DType b) noexcept;

// The type in which two tensors meet: that of their types; but a tensor without dimensions gives way to one that
// has some, unless it is of a higher kind (bool, integer, float), as a plain number does.
DType promote(const Tensor& a, const Tensor& b) noexcept;

}  // namespace feral
