// Rows of a table, picked by index.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

struct EmbeddingKernels {};

}  // namespace feral
