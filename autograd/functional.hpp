// Derivatives of functions of tensors.
//
// A function here takes the tensors that it is to be differentiated by and answers one tensor. The inputs are
// floating tensors; they are detached, so what they were computed from is left alone. With create_graph the answers
// are recorded, and may be differentiated by the inputs given when those require a gradient. Parameters that the
// function captures get no gradient.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::autograd {

using TensorFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;

// The function's value, and vᵀJ: a tensor an input. Without v the value must have one element.
std::pair<Tensor, std::vector<Tensor>> vjp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                           const Tensor& v = {}, bool create_graph = false);

// The function's value, and Jv, of its shape: the derivative along v, which has a tensor an input. By
// differentiating vjp, which is linear in its v, by that (the "double backward trick", J. Townsend, 2017).
std::pair<Tensor, Tensor> jvp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& v, bool create_graph = false);

// For each input the derivatives of all elements of the value by all of its elements:
// [value's shape..., input's shape...].
std::vector<Tensor> jacobian(const TensorFunction& function, const std::vector<Tensor>& inputs,
                             bool create_graph = false);

// The second derivatives of a function with one element: answers[i][j] is [input i's shape..., input j's shape...].
std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                         bool create_graph = false);

// The function's value (one element), and the product of its Hessian with v: a tensor an input.
std::pair<Tensor, std::vector<Tensor>> hvp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                           const std::vector<Tensor>& v, bool create_graph = false);

}  // namespace feral::autograd
