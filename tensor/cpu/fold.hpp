// Reductions as folds over accumulators, and the loop that walks a tensor of any strides with one.
//
// The loop looks at the strides: where the elements of one result lie closest together, it folds rows into one
// accumulator; where those of neighbouring results do, it folds blocks of rows into a tile of accumulators, one a
// column. Memory is read in its own order either way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dim_set.hpp"
#include "tensor/tensor.hpp"

namespace feral::cpu {

// Accumulators of one tile, at most 16 bytes each.
inline constexpr std::int64_t fold_columns = 1024;
inline constexpr std::size_t fold_bytes = static_cast<std::size_t>(fold_columns) * 16;

// What a fold is told beside its elements.
struct FoldArguments {
  double number = 0;                   // what one reduction needs: a count, p
  const double* parameters = nullptr;  // one a result, laid out as they are; of the first result at hand
  std::int64_t parameter_stride = 0;
  std::int64_t index = 0;  // of the first element among those of its result
};

struct Block {
  std::int64_t rows;
  std::int64_t columns;  // at most fold_columns
  std::int64_t row_stride;
  std::int64_t column_stride;
};

// Strides in elements. `accumulators` is a whole tile, aligned to a cache line.
struct Fold {
  // Sets the first n accumulators to the neutral element.
  void (*start)(std::byte* accumulators, std::int64_t n);
  // Folds n elements into the first accumulator.
  void (*row)(std::byte* accumulators, const std::byte* x, std::int64_t n, std::int64_t stride,
              const FoldArguments& arguments);
  // Folds each column of a block into its accumulator.
  void (*columns)(std::byte* accumulators, const std::byte* x, const Block& block, const FoldArguments& arguments);
  // Writes n results.
  void (*finish)(std::byte* out, const std::byte* accumulators, std::int64_t n, std::int64_t stride,
                 const FoldArguments& arguments);
  bool ordered = false;  // elements must come in row-major order
};

// out = x folded over `dims`; see tensor/kernels/reduction.hpp for the shapes.
void run_fold(const Fold& fold, const Tensor& out, const Tensor& x, DimSet dims, FoldArguments arguments = {});

}  // namespace feral::cpu
