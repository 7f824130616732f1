// The two kinds of gradient that a parameter may have, as one.
#pragma once

#include "tensor/tensor.hpp"

namespace feral::optim {

// Where a parameter has a dense gradient and one of some rows (its table was read in both ways), their sum becomes
// the dense one and the rows go.
void merge_gradients(const Tensor& parameter);

}  // namespace feral::optim
