// The CPU's part of the table; contracts in tensor/kernels/recurrent.hpp.
#pragma once

#include "tensor/kernels/recurrent.hpp"

namespace feral::cpu {

void recurrent(const RecurrentSteps& steps, const RecurrentForward& tensors);
void recurrent_backward(const RecurrentSteps& steps, const RecurrentBackward& tensors);

inline constexpr RecurrentKernels recurrent_kernels = {
    .recurrent = recurrent,
    .recurrent_backward = recurrent_backward,
};

}  // namespace feral::cpu
