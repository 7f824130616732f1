// The CPU's part of the table; contracts in tensor/kernels/losses.hpp.
#pragma once

#include "tensor/kernels/losses.hpp"

namespace feral::cpu {

void cross_entropy(const Tensor& out, const Tensor& terms, const Tensor& x, const Tensor& target,
                   const Tensor& weight, const CrossEntropySettings& settings);
void cross_entropy_backward(const Tensor& out, const Tensor& gradient, const Tensor& terms, const Tensor& x,
                            const Tensor& target, const Tensor& weight, const CrossEntropySettings& settings);
void ctc_loss(const Tensor& out, const Tensor& alphas, const CtcInputs& inputs, const CtcSettings& settings);
void ctc_loss_backward(const Tensor& out, const Tensor& gradient, const Tensor& alphas, const CtcInputs& inputs,
                       const CtcSettings& settings);

inline constexpr LossKernels loss_kernels = {
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
    .ctc_loss = ctc_loss,
    .ctc_loss_backward = ctc_loss_backward,
};

}  // namespace feral::cpu
