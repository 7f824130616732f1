// The CPU's part of the table; contracts in tensor/kernels/classification.hpp.
#pragma once

#include "tensor/kernels/classification.hpp"

namespace feral::cpu {

void nll_loss(const Tensor& out, const Tensor& x, const Tensor& target);
void nll_loss_scatter(const Tensor& out, const Tensor& gradient, const Tensor& target);

inline constexpr ClassificationKernels classification_kernels = {
    .nll_loss = nll_loss,
    .nll_loss_scatter = nll_loss_scatter,
};

}  // namespace feral::cpu
