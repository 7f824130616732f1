// Rows of a table, picked by index and reduced bag by bag.
#pragma once

#include <cstdint>

#include "tensor/tensor.hpp"

namespace feral {

enum class BagKernel : std::uint8_t { sum, mean, max };

struct EmbeddingKernels {
  // out [bags, d], contiguous: row b reduces the rows weight[indices[i]] for bounds[b] <= i < bounds[b + 1], but
  // those of index `padding`; an empty bag is 0. weight [n, d] of any strides may be a live shared parameter;
  // indices [m] and bounds [bags + 1], int64 and contiguous, have been checked. scales [m], contiguous, of weight's
  // type, or undefined: factors of the rows, for sums. winners, int64 like out, or undefined: for max the index
  // whose row is the largest, the first of equals, a NaN counts as the largest; 0 in an empty bag.
  void (*embedding_bag)(BagKernel kernel, const Tensor& out, const Tensor& winners, const Tensor& weight,
                        const Tensor& indices, const Tensor& bounds, const Tensor& scales, std::int64_t padding);
  // How many of a bag's indices are not `padding`: counts int64 [bags].
  void (*bag_counts)(const Tensor& counts, const Tensor& indices, const Tensor& bounds, std::int64_t padding);
  // The indices that are in a bag and not `padding`: where each stands in `indices`, and its bag; both int64, of
  // the sum of the counts.
  void (*bag_entries)(const Tensor& places, const Tensor& bags, const Tensor& indices, const Tensor& bounds,
                      std::int64_t padding);
  // Sums lines that belong to one row: position i of `rows` (int64 [m], contiguous, none negative) brings line
  // source[i] of `lines` [k, d] (float32 or float64, contiguous; int64 source [m], contiguous and checked; line i
  // where source is undefined), times scales[i] where scales [m] is defined, unless rows[i] is `padding`. Writes
  // the rows, ascending and each once, to merged [m] and their sums to sums [m, d], both contiguous, and returns
  // how many they are. Lines are added in the order of their positions.
  std::int64_t (*merge_rows)(const Tensor& merged, const Tensor& sums, const Tensor& rows, const Tensor& source,
                             const Tensor& scales, const Tensor& lines, std::int64_t padding);
};

}  // namespace feral
