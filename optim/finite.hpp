// Whether all values are numbers: the look that a guard takes at gradients before they reach the parameters.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/tensor.hpp"

namespace feral::optim {

// True when no element is NaN or infinite. One pass, of a load and a multiply-add a vector (x * 0 is 0 for numbers
// alone). float32 and float64, of any layout; live shared memory too. An undefined tensor has no element.
bool all_finite(const Tensor& tensor);

// The number of the first parameter whose gradient, dense or of rows, has an element that is NaN or infinite;
// parameters.size() when none has.
std::size_t first_nonfinite_gradient(std::span<const Tensor> parameters);

}  // namespace feral::optim
