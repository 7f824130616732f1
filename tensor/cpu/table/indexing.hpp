// The CPU's part of the table; contracts in tensor/kernels/indexing.hpp.
#pragma once

#include "tensor/kernels/indexing.hpp"

namespace feral::cpu {

std::int64_t find_outside(const Tensor& index, std::int64_t low, std::int64_t high);
void fold_positions(const Tensor& out, const Tensor& index, std::int64_t size, bool onto);
void index(const Tensor& out, const Tensor& x, const Tensor& positions, int first);
void index_write(WriteKernel how, const Tensor& out, const Tensor& positions, const Tensor& source, int first);
void gather(const Tensor& out, const Tensor& x, const Tensor& index, int dim);
void scatter(WriteKernel how, const Tensor& out, const Tensor& index, const Tensor& source, int dim);
void scatter_reduce(ScatterReduction reduction, bool include_self, const Tensor& out, const Tensor& index,
                    const Tensor& source, int dim);
std::int64_t nonzero_count(const Tensor& x);
void nonzero_positions(const Tensor& out, const Tensor& x);
void unravel(const Tensor& out, const Tensor& positions, const Shape& shape);

inline constexpr IndexingKernels indexing_kernels = {
    .find_outside = find_outside,
    .fold_positions = fold_positions,
    .index = index,
    .index_write = index_write,
    .gather = gather,
    .scatter = scatter,
    .scatter_reduce = scatter_reduce,
    .nonzero_count = nonzero_count,
    .nonzero_positions = nonzero_positions,
    .unravel = unravel,
};

}  // namespace feral::cpu
