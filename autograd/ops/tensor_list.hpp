// A list of tensors for the length of a call.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "tensor/allocator.hpp"
#include "tensor/tensor.hpp"

namespace feral::ops {

// Undefined tensors in a block of the caching allocator: no heap once warm.
class TensorList {
 public:
  explicit TensorList(std::size_t count)
      : count_(count), tensors_(static_cast<Tensor*>(allocate_block(count * sizeof(Tensor)))) {
    std::uninitialized_default_construct_n(tensors_, count);
  }
  TensorList(const TensorList&) = delete;
  TensorList& operator=(const TensorList&) = delete;
  ~TensorList() {
    std::destroy_n(tensors_, count_);
    deallocate_block(tensors_, count_ * sizeof(Tensor));
  }
  Tensor& operator[](std::size_t i) noexcept { return tensors_[i]; }
  std::span<const Tensor> span() const noexcept { return {tensors_, count_}; }

 private:
  std::size_t count_;
  Tensor* tensors_;
};

}  // namespace feral::ops
