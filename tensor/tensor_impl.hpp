// What a Tensor points at. Only tensor/ and autograd/ look inside.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"
#include "tensor/storage.hpp"
#include "tensor/tape_node.hpp"

namespace feral {

// Where a tensor's elements live; picks the table of kernels (tensor/kernels.hpp).
enum class Device : std::uint8_t { cpu };

struct GradientExtras;  // tensor/gradient_extras.hpp

struct TensorImpl {
  std::uint32_t references = 1;
  DType dtype = DType::float32;
  Device device = Device::cpu;
  bool requires_grad = false;  // a leaf that asked for a gradient, or the result of a recorded op
  bool contiguous = true;      // strides are those of shape.contiguous_strides()
  std::int64_t numel = 0;
  std::byte* data = nullptr;  // the first element, inside storage
  Storage* storage = nullptr;
  TapeNode* producer = nullptr;  // the recorded op that made this tensor; none for a leaf
  TensorImpl* gradient = nullptr;
  GradientExtras* extras = nullptr;  // of a leaf; owned
  Shape shape;
  Shape strides;  // in elements

  void retain() noexcept { ++references; }
  void drop() noexcept {
    if (--references == 0) destroy();
  }

  // A new view of `storage` (whose reference it takes over) starting at `data`.
  static TensorImpl* create(Storage* storage, std::byte* data, const Shape& shape, const Shape& strides,
                            DType dtype);

 private:
  void destroy() noexcept;
};

}  // namespace feral
