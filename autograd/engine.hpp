// The way back through the tape.
#pragma once

#include <span>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

struct BackwardOptions {
  bool retain_graph = false;  // keep what the nodes have saved
  bool create_graph = false;  // record the gradients' own computation
  // Without inputs, gradients are added to the grad() of the leaves. With them, no grad() is touched: answers[i]
  // becomes the gradient of inputs[i], a leaf or not, and stays undefined where nothing reaches it.
  std::span<const Tensor> inputs;
  std::span<Tensor> answers;
};

// Sends gradients[i], of the shape and type of roots[i], back from there; each root requires a gradient. Goes to
// every node at most once, the latest recorded first.
void run_backward(std::span<const Tensor> roots, std::span<const Tensor> gradients, const BackwardOptions& options);

// Whether the calling thread is inside a pass that collects answers.
bool collects_answers() noexcept;

// What a pass from `root` starts with: `gradient`, or a one for a scalar. Throws feral::Error, naming `op`, when
// the tensor requires no gradient, is no scalar, or the two do not fit.
Tensor start_of(std::string_view op, const Tensor& root, const Tensor& gradient);

}  // namespace feral
