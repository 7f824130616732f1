// The node of a function whose gradient is a std::function.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::autograd {

using BackwardFunction = std::function<std::vector<Tensor>(const Tensor& gradient)>;

// Records `output` as a function of `inputs`, whether they require a gradient or not. With reaches_others
// `backward` is called even if none does.
void record_function(std::string name, const Tensor& output, std::span<const Tensor> inputs,
                     BackwardFunction backward, bool reaches_others = false);

}  // namespace feral::autograd
