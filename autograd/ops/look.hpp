// Another look at a tensor's memory, for ops that make views and for kernels' operands.
#pragma once

#include "tensor/tensor.hpp"

namespace feral::ops {

// x's memory with other sizes and strides (of either sign), `offset` elements further on; off the tape. The caller
// has made sure that it stays inside.
inline Tensor look(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t offset = 0) {
  std::byte* data = x.raw_data() + offset * static_cast<std::int64_t>(size_of(x.dtype()));
  TensorImpl* view = TensorImpl::create(x.impl()->storage, data, shape, strides, x.dtype());
  view->storage->retain();
  return Tensor::adopt(view);
}

}  // namespace feral::ops
