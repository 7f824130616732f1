// Another look at a tensor's memory.
#pragma once

#include "tensor/tensor.hpp"

namespace feral {

// x's memory with other sizes and strides, starting `offset` elements after its first one; off the tape. The caller
// sees to it that it lies within x's storage.
inline Tensor view_of(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t offset = 0) {
  std::byte* data = x.raw_data() + offset * static_cast<std::int64_t>(size_of(x.dtype()));
  TensorImpl* view = TensorImpl::create(x.impl()->storage, data, shape, strides, x.dtype());
  view->storage->retain();  // not before create, which may throw
  return Tensor::adopt(view);
}

}  // namespace feral
