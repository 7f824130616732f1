// Anomaly mode's look at a gradient.
#pragma once

#include "autograd/node.hpp"

namespace feral {

// Throws feral::Error, naming the op and where it was recorded, when `gradient` of its input `input` has a NaN or
// an infinity.
void check_finite(const Node& node, int input, const Tensor& gradient);

}  // namespace feral
