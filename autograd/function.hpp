// Functions with a gradient of their own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::autograd {

// Makes `output`, which must not be on the tape (computed under NoGradGuard, or by code of one's own), a function
// of `inputs` whose gradients `backward` computes: given the gradient of the output it answers one tensor an input,
// of its shape and type, undefined for none. Written with tensor operations it is differentiable in turn. What
// `backward` needs it captures, and must not be written before (nobody watches captured tensors: clone() what may
// be); capture no tensor that is derived from `output`, or neither is ever freed. Returns `output`, recorded when
// gradients are enabled and an input requires one.
//
//   Tensor square(const Tensor& x) {
//     Tensor y;
//     { const NoGradGuard guard; y = x * x; }
//     return autograd::custom_function("square", y, {x}, [x](const Tensor& g) { return std::vector{2 * x * g}; });
//   }
//
// Ops that are called often are better described by a struct (autograd/op.hpp): that allocates nothing.
Tensor custom_function(std::string name, const Tensor& output, const std::vector<Tensor>& inputs,
                       std::function<std::vector<Tensor>(const Tensor& gradient)> backward);

}  // namespace feral::autograd
