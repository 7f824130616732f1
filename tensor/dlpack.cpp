#include "tensor/dlpack.hpp"

#include <dlpack/dlpack.h>

#include <array>
#include <memory>

#include "core/fail.hpp"
#include "tensor/in_place.hpp"
#include "tensor/storage.hpp"

namespace feral {
namespace {

constexpr std::uint8_t dl_bool = 6;  // kDLBool, which the header has from version 0.8 on

DLDataType type_of(DType dtype) {
  const auto bits = static_cast<std::uint8_t>(8 * size_of(dtype));
  switch (dtype) {
    case DType::float32:
    case DType::float64:
    case DType::float16:
      return {kDLFloat, bits, 1};
    case DType::bfloat16:
      return {kDLBfloat, bits, 1};
    case DType::boolean:
      return {dl_bool, bits, 1};
    case DType::uint8:
      return {kDLUInt, bits, 1};
    case DType::int8:
    case DType::int16:
    case DType::int32:
    case DType::int64:
      return {kDLInt, bits, 1};
  }
  __builtin_unreachable();
}

// What to_dlpack hands out, with the tensor that keeps the memory.
struct Exported {
  DLManagedTensor managed{};
  Tensor tensor;
  std::array<std::int64_t, Shape::max_dims> shape{};
  std::array<std::int64_t, Shape::max_dims> strides{};
};

DType dtype_of_dlpack(const DLDataType& type) {
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    const DLDataType own = type_of(dtype);
    if (own.code == type.code && own.bits == type.bits && own.lanes == type.lanes) return dtype;
  }
  fail("from_dlpack: no element type for code {}, {} bits, {} lanes", type.code, type.bits, type.lanes);
}

}  // namespace

DLManagedTensor* to_dlpack(const Tensor& tensor) {
  refuse_undefined("to_dlpack", tensor);
  if (tensor.requires_grad()) fail("to_dlpack: the tensor requires a gradient; use detach()");
  auto exported = std::make_unique<Exported>();
  exported->tensor = tensor;
  for (int i = 0; i < tensor.dims(); ++i) {
    exported->shape[static_cast<std::size_t>(i)] = tensor.shape()[i];
    exported->strides[static_cast<std::size_t>(i)] = tensor.strides()[i];
  }
  DLManagedTensor& managed = exported->managed;
  managed.dl_tensor = {.data = tensor.raw_data(),
                       .device = {kDLCPU, 0},
                       .ndim = tensor.dims(),
                       .dtype = type_of(tensor.dtype()),
                       .shape = exported->shape.data(),
                       .strides = exported->strides.data(),
                       .byte_offset = 0};
  managed.manager_ctx = exported.get();
  managed.deleter = [](DLManagedTensor* self) { delete static_cast<Exported*>(self->manager_ctx); };
  return &exported.release()->managed;
}

Tensor from_dlpack(DLManagedTensor* managed) {
  if (managed == nullptr) fail("from_dlpack: a null pointer");
  const DLTensor& source = managed->dl_tensor;
  if (source.device.device_type != kDLCPU && source.device.device_type != kDLCUDAHost) {
    fail("from_dlpack: the memory is on device type {}, not on the CPU",
         static_cast<int>(source.device.device_type));
  }
  const DType dtype = dtype_of_dlpack(source.dtype);
  if (source.ndim < 0 || source.ndim > Shape::max_dims) {
    fail("from_dlpack: {} dimensions, at most {} are supported", source.ndim, Shape::max_dims);
  }
  const auto dims = static_cast<std::size_t>(source.ndim);
  const Shape shape(std::span(source.shape, dims));
  const std::int64_t numel = shape.numel();  // throws for sizes that cannot be counted
  const Shape strides =
      source.strides == nullptr ? shape.contiguous_strides() : Shape(std::span(source.strides, dims));
  std::int64_t extent = numel == 0 ? 0 : 1;  // elements from the first to behind the last
  for (int i = 0; i < shape.dims() && numel > 0; ++i) {
    std::int64_t reach = 0;
    if (strides[i] < 0) fail("from_dlpack: stride {} of dimension {} is negative", strides[i], i);
    if (__builtin_mul_overflow(strides[i], shape[i] - 1, &reach) ||
        __builtin_add_overflow(extent, reach, &extent)) {
      fail("from_dlpack: strides {} of shape {} reach too far", strides.to_string(), shape.to_string());
    }
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(extent, static_cast<std::int64_t>(size_of(dtype)), &bytes)) {
    fail("from_dlpack: strides {} of shape {} reach too far", strides.to_string(), shape.to_string());
  }
  auto* data = static_cast<std::byte*>(source.data) + source.byte_offset;
  if (source.data == nullptr && numel > 0) fail("from_dlpack: no memory for shape {}", shape.to_string());
  if (numel > 0 && reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) != 0) {
    fail("from_dlpack: the elements of {} are not aligned to {} bytes", name_of(dtype), size_of(dtype));
  }
  Storage* storage = Storage::foreign(data, static_cast<std::size_t>(bytes), [managed](void*) {
    if (managed->deleter != nullptr) managed->deleter(managed);
  });
  return Tensor::adopt(TensorImpl::create(storage, data, shape, strides, dtype));
}

}  // namespace feral
