// The CPU's part of the table; contracts in tensor/kernels/attention.hpp.
#pragma once

#include "tensor/kernels/attention.hpp"

namespace feral::cpu {

void attention(const Tensor& out, const AttentionTensors& tensors);
void attention_backward(const AttentionGradients& out, const AttentionTensors& tensors, const Tensor& gradient);

inline constexpr AttentionKernels attention_kernels = {
    .attention = attention,
    .attention_backward = attention_backward,
};

}  // namespace feral::cpu
