// The CPU's part of the table; contracts in tensor/kernels/embedding.hpp.
#pragma once

#include "tensor/kernels/embedding.hpp"

namespace feral::cpu {

inline constexpr EmbeddingKernels embedding_kernels = {};

}  // namespace feral::cpu
