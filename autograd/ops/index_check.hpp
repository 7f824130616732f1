// Checks and small steps that ops on indices share. Each check throws feral::Error naming the op and what
// disagrees.
#pragma once

#include <initializer_list>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral::ops {

// `index` as int64; throws unless it is int64 or int32.
Tensor int64_index(std::string_view op, const Tensor& index);

// Throws unless `index` is int64 and every element lies in [low, high); the message names the first that does not
// and where it stands.
void check_indices(std::string_view op, const Tensor& index, std::int64_t low, std::int64_t high);

// `index` (int64 or int32) as int64 positions in [0, size): negative ones count from the end. Throws unless all lie
// in
// [-size, size). The result may be `index` itself.
Tensor wrapped_index(std::string_view op, const Tensor& index, std::int64_t size);

// The number as a tensor without dimensions; throws where an integer type cannot hold it.
Tensor number_of(std::string_view op, Scalar value, DType dtype);

// Throws unless `target` can be written in place beside these operands (autograd/ops/inplace.hpp).
void check_in_place(std::string_view op, const Tensor& target, std::initializer_list<const Tensor*> operands);

// `operand`, or a copy of it when it may share memory with `target`, which is about to be written in another order.
Tensor copied_from(const Tensor& target, const Tensor& operand);

// A tensor without dimensions as one with a single element.
inline Tensor at_least_1d(const Tensor& x) { return x.dims() == 0 ? x.reshape({1}) : x; }

}  // namespace feral::ops
