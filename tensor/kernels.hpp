// The dispatch to a device's kernels: one table of functions a device, the seam behind which CUDA will stand. The
// table is made of one struct a family, each in its own header.
//
// Kernels compute and nothing else. Shapes and types have been checked by the op that calls them (autograd/ops/);
// `out` is allocated, contiguous unless said otherwise, and overlaps no input (elementwise kernels also take an
// input that is `out` itself). No kernel allocates from the heap once warm, none records.
#pragma once

#include "tensor/kernels/arranging.hpp"
#include "tensor/kernels/attention.hpp"
#include "tensor/kernels/classification.hpp"
#include "tensor/kernels/convolution.hpp"
#include "tensor/kernels/elementwise.hpp"
#include "tensor/kernels/embedding.hpp"
#include "tensor/kernels/indexing.hpp"
#include "tensor/kernels/linalg.hpp"
#include "tensor/kernels/losses.hpp"
#include "tensor/kernels/normalization.hpp"
#include "tensor/kernels/pooling.hpp"
#include "tensor/kernels/product.hpp"
#include "tensor/kernels/random.hpp"
#include "tensor/kernels/recurrent.hpp"
#include "tensor/kernels/reduction.hpp"
#include "tensor/kernels/sorting.hpp"
#include "tensor/tensor.hpp"

namespace feral {

struct Kernels : ElementwiseKernels,
                 ReductionKernels,
                 ProductKernels,
                 ConvolutionKernels,
                 PoolingKernels,
                 ClassificationKernels,
                 LossKernels,
                 RandomKernels,
                 IndexingKernels,
                 SortingKernels,
                 LinalgKernels,
                 EmbeddingKernels,
                 NormalizationKernels,
                 RecurrentKernels,
                 AttentionKernels,
                 ArrangingKernels {};

const Kernels& kernels(Device device) noexcept;

}  // namespace feral
