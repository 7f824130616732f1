// The CPU's part of the table; contracts in tensor/kernels/embedding.hpp.
#pragma once

#include "tensor/kernels/embedding.hpp"

namespace feral::cpu {

void embedding_bag(BagKernel kernel, const Tensor& out, const Tensor& winners, const Tensor& weight,
                   const Tensor& indices, const Tensor& bounds, const Tensor& scales, std::int64_t padding);
void bag_counts(const Tensor& counts, const Tensor& indices, const Tensor& bounds, std::int64_t padding);
void bag_entries(const Tensor& places, const Tensor& bags, const Tensor& indices, const Tensor& bounds,
                 std::int64_t padding);
std::int64_t merge_rows(const Tensor& merged, const Tensor& sums, const Tensor& rows, const Tensor& source,
                        const Tensor& scales, const Tensor& lines, std::int64_t padding);

inline constexpr EmbeddingKernels embedding_kernels = {
    .embedding_bag = embedding_bag,
    .bag_counts = bag_counts,
    .bag_entries = bag_entries,
    .merge_rows = merge_rows,
};

}  // namespace feral::cpu
