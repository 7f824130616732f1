// Tensors handed to and taken from other libraries of one process without a copy, by DLPack
// (https://dmlc.github.io/dlpack/latest/), version 0.6 to 0.8's DLManagedTensor: what NumPy, PyTorch and JAX
// exchange as a "dltensor" capsule.
#pragma once

#include "tensor/tensor.hpp"

// Defined by <dlpack/dlpack.h>, which a caller includes who looks inside.
struct DLManagedTensor;

namespace feral {

// A view of the tensor's memory with its strides. The consumer owns the result and calls its `deleter` when it is
// done, in the thread that the tensor belongs to. Throws feral::Error for an undefined tensor and for one that
// requires a gradient (use detach()).
DLManagedTensor* to_dlpack(const Tensor& tensor);

// A view of memory that another library made; its deleter is called when the last tensor over it goes. Throws
// feral::Error, and leaves `managed` to the caller, for memory on another device, a type that feral lacks, more
// than eight dimensions, negative strides, or elements that are not aligned.
Tensor from_dlpack(DLManagedTensor* managed);

}  // namespace feral
