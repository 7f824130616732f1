// Small tensors that require a gradient.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::support {

inline Tensor leaf(const std::vector<double>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())}).set_requires_grad(true);
}

}  // namespace feral::support
