// What all losses share.
#pragma once

#include <string_view>

#include "tensor/kernels/losses.hpp"
#include "tensor/tensor.hpp"

namespace feral::nn {

using feral::Reduction;

// Of losses that have no other options.
struct LossOptions {
  Reduction reduction = Reduction::mean;
};

Tensor reduce(const Tensor& losses, Reduction reduction);

// Both defined and of one shape; throws feral::Error naming `loss` and both. Losses do not broadcast: a target
// [n, 1] beside [n] would quietly become n × n differences.
void check_same_shape(std::string_view loss, const Tensor& input, const Tensor& target);

}  // namespace feral::nn
