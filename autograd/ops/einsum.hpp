// Products over named dimensions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

// Einstein's sum, as NumPy's and PyTorch's einsum: einsum("bij,bjk->bik", {a, b}).
//
// A letter names a dimension of each operand; a letter that the right side leaves out is summed over. One that
// stands twice in an operand takes its diagonal. "..." stands for the dimensions without a letter, which broadcast;
// sizes of 1 broadcast, too. Without "->" the result has the dimensions of "..." and then, in alphabetical order
// (capitals first), the letters that stand once. Operands have one type, which is the result's; sums of integers
// are int64, as sum's are. Operands are contracted from left to right, each pair by one (batched) matrix product.
Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands);

// Sum over pairs of dimensions, dims_a[i] of a with dims_b[i] of b; the result has the other dimensions of a and
// then those of b. With a count: the last `count` of a with the first of b (0: the outer product).
Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b);
Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t count = 2);

}  // namespace feral
