// Less memory for more time: a part of the model whose inner results are computed again on the way back.
#pragma once

#include <functional>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::autograd {

// function(inputs), of which only inputs and output are kept; backward calls `function` once more, with the same
// random numbers, and goes back through that (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
// Parameters that `function` uses without being handed them get their gradients as well. `function` must do the
// same both times, and what it captures must live, and not be written, until backward: only inputs are watched. A
// result of an op that it captures must not be freed by the same backward before: hand it in as an input.
//
// Works with Tensor::backward; autograd::grad and create_graph are refused with a feral::Error, since the gradients
// of captured parameters would be lost.
Tensor checkpoint(std::function<Tensor(const std::vector<Tensor>& inputs)> function,
                  const std::vector<Tensor>& inputs);

}  // namespace feral::autograd
