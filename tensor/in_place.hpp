// Writing into a tensor that shares memory: with itself, or with what is read.
#pragma once

#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

// Whether two positions of such a view stand on one element. Exact, but for layouts that only as_strided can make
// and that take more than some 100,000 steps to decide: those count as overlapping.
bool overlaps_itself(const Shape& shape, const Shape& strides) noexcept;
inline bool overlaps_itself(const Tensor& x) noexcept {
  return !x.is_contiguous() && overlaps_itself(x.shape(), x.strides());
}

// Whether the stretches of memory from the first to the last element have a byte in common; the elements themselves
// may still be different ones.
bool may_share_memory(const Tensor& a, const Tensor& b) noexcept;

// Whether both show the same elements in the same places.
bool same_view(const Tensor& a, const Tensor& b) noexcept;

// Throws feral::Error, naming `op`, for an undefined tensor.
void refuse_undefined(std::string_view op, const Tensor& tensor);

// Throws feral::Error, naming `op`, unless `target` may be written into: defined, no element in two places. Counts
// the write.
void check_written(std::string_view op, const Tensor& target);

// The same for what is never recorded: refuses a tensor that a recorded op made, too.
void check_target(std::string_view op, const Tensor& target);

// `operand`, or a copy of it where a kernel that writes `target` might read an element that it has written already.
// One that is `target` itself is left: elementwise kernels read each element before they write it.
Tensor apart_from(const Tensor& target, const Tensor& operand);

}  // namespace feral
