// Parameters as one vector: for methods that see a model as a point in space.
#pragma once

#include <vector>

#include "tensor/tensor.hpp"

namespace feral::nn {

// All elements, one parameter behind the other, as a new vector (recorded: the gradient reaches the parameters).
// They must be of one type.
Tensor parameters_to_vector(const std::vector<Tensor>& parameters);

// The other way round: copies the elements of `vector` into the parameters, where they stand (PyTorch makes them
// views of the vector instead; parameters in the arena must stay there). Throws feral::Error, and has changed
// nothing then, unless the numbers of elements agree.
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

}  // namespace feral::nn
