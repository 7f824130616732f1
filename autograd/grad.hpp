// Gradients as answers, instead of in Tensor::grad().
#pragma once

#include <vector>

#include "tensor/tensor.hpp"

namespace feral::autograd {

struct GradOptions {
  bool retain_graph = false;  // keep the tape for another pass; create_graph implies it
  bool create_graph = false;  // record the gradients' own computation, for gradients of them
  bool allow_unused = false;  // an input that no output depends on: undefined instead of an error
};

// d(sum of outputs)/d(inputs[i]), each of the shape and type of its input. Inputs may be leaves or results of ops;
// no tensor's grad() is touched, and what leads to none of the inputs is not computed. gradients[i] weights
// outputs[i]; where it is undefined, or `gradients` is empty, the output must have one element. Throws feral::Error
// for an input that requires no gradient.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients = {}, const GradOptions& options = {});

// Tensor::backward from several outputs at once.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients = {},
              bool retain_graph = false, bool create_graph = false);

}  // namespace feral::autograd
