// The kernels of the CPU; contracts in tensor/kernels/.
#pragma once

#include "tensor/cpu/table/arranging.hpp"
#include "tensor/cpu/table/attention.hpp"
#include "tensor/cpu/table/classification.hpp"
#include "tensor/cpu/table/convolution.hpp"
#include "tensor/cpu/table/elementwise.hpp"
#include "tensor/cpu/table/embedding.hpp"
#include "tensor/cpu/table/indexing.hpp"
#include "tensor/cpu/table/linalg.hpp"
#include "tensor/cpu/table/losses.hpp"
#include "tensor/cpu/table/normalization.hpp"
#include "tensor/cpu/table/pooling.hpp"
#include "tensor/cpu/table/product.hpp"
#include "tensor/cpu/table/random.hpp"
#include "tensor/cpu/table/recurrent.hpp"
#include "tensor/cpu/table/reduction.hpp"
#include "tensor/cpu/table/sorting.hpp"
#include "tensor/kernels.hpp"

namespace feral::cpu {

inline constexpr Kernels kernel_table = {
    elementwise_kernels,   reduction_kernels,      product_kernels,   convolution_kernels,
    pooling_kernels,       classification_kernels, loss_kernels,      random_kernels,
    indexing_kernels,      sorting_kernels,        linalg_kernels,    embedding_kernels,
    normalization_kernels, recurrent_kernels,      attention_kernels, arranging_kernels,
};

}  // namespace feral::cpu
