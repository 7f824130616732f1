#include "tensor/tensor.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/fail.hpp"
#include "core/sizes.hpp"
#include "tensor/allocator.hpp"
#include "tensor/gradient_extras.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"
#include "tensor/view_of.hpp"

namespace feral {
namespace {

std::size_t checked_bytes(const Shape& shape, DType dtype) {
  return checked_multiply(static_cast<std::size_t>(shape.numel()), size_of(dtype));
}

Tensor over(Storage* storage, const Shape& shape, DType dtype) {
  return Tensor::adopt(TensorImpl::create(storage, storage->data, shape, shape.contiguous_strides(), dtype));
}

}  // namespace

TensorImpl* TensorImpl::create(Storage* storage, std::byte* data, const Shape& shape, const Shape& strides,
                               DType dtype) {
  const std::int64_t numel = shape.numel();  // throws before anything is taken over
  auto* impl = new (allocate_block(sizeof(TensorImpl))) TensorImpl;
  impl->dtype = dtype;
  impl->numel = numel;
  impl->data = data;
  impl->storage = storage;
  impl->shape = shape;
  impl->strides = strides;
  std::int64_t expected = 1;
  for (int i = shape.dims() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected) impl->contiguous = impl->numel == 0;
    expected *= shape[i];
  }
  return impl;
}

void TensorImpl::destroy() noexcept {
  if (producer != nullptr) {
    if (producer->retainer == this) producer->retainer = nullptr;
    release(producer);
  }
  if (gradient != nullptr) gradient->drop();
  delete extras;
  storage->drop();
  deallocate_block(this, sizeof(TensorImpl));
}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  return over(Storage::owned(checked_bytes(shape, dtype)), shape, dtype);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  std::memset(tensor.raw_data(), 0, tensor.impl_->storage->bytes);
  return tensor;
}

Tensor Tensor::full(const Shape& shape, Scalar value, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  kernels(tensor.device()).fill(tensor, value);
  return tensor;
}

Tensor Tensor::ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }

Tensor Tensor::borrow(void* data, const Shape& shape, DType dtype) {
  return over(Storage::borrowed(data, checked_bytes(shape, dtype)), shape, dtype);
}

Tensor Tensor::from_blob(void* data, const Shape& shape, DType dtype, std::function<void(void*)> deleter) {
  return over(Storage::foreign(data, checked_bytes(shape, dtype), std::move(deleter)), shape, dtype);
}

template <class T>
Tensor Tensor::from_vector(const std::vector<T>& values, const Shape& shape) {
  if (static_cast<std::int64_t>(values.size()) != shape.numel()) {
    fail("from_vector: {} values for shape {}", values.size(), shape.to_string());
  }
  Tensor tensor = empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor;
}

std::int64_t Tensor::size(std::int64_t dim) const {
  refuse_undefined("size", *this);
  return impl_->shape[normalize_dim("size", dim, dims())];
}

template <class T>
T* Tensor::data() const {
  refuse_undefined("data", *this);
  if (dtype() != dtype_of<T>) {
    fail("data: the tensor holds {}, asked for {}", name_of(dtype()), name_of(dtype_of<T>));
  }
  return reinterpret_cast<T*>(impl_->data);
}

double Tensor::item() const {
  refuse_undefined("item", *this);
  if (numel() != 1) fail("item: a tensor of shape {} has {} elements, not one", shape().to_string(), numel());
  return visit_dtype(dtype(), [&]<class T>() { return static_cast<double>(*data<T>()); });
}

template <class T>
T Tensor::item() const {
  refuse_undefined("item", *this);
  if (numel() != 1) fail("item: a tensor of shape {} has {} elements, not one", shape().to_string(), numel());
  T value{};
  kernels(device()).copy(borrow(&value, shape(), dtype_of<T>), *this);
  return value;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  refuse_undefined("to_vector", *this);
  const Tensor copy = empty(shape(), dtype_of<T>);
  kernels(device()).copy(copy, *this);
  return std::vector<T>(copy.data<T>(), copy.data<T>() + copy.numel());
}

std::string Tensor::to_string() const {
  if (!defined()) return "Tensor undefined";
  return fmt::format("Tensor {} {}", name_of(dtype()), shape().to_string());
}

void Tensor::rebind(void* data) const {
  refuse_undefined("rebind", *this);
  if (!is_leaf() || !is_contiguous()) fail("rebind: {} is no contiguous leaf", to_string());
  impl_->storage->drop();
  impl_->storage = Storage::borrowed(data, checked_bytes(shape(), dtype()));
  impl_->data = impl_->storage->data;
}

void Tensor::set_data(const Tensor& other) const {
  refuse_undefined("set_data", *this);
  refuse_undefined("set_data", other);
  if (!is_leaf() || !other.is_leaf()) fail("set_data: {} or {} is no leaf", to_string(), other.to_string());
  if (impl_->gradient != nullptr)
    fail("set_data: {} has a gradient; drop it first with set_grad({{}})", to_string());
  if (impl_->requires_grad && !is_floating(other.dtype())) {
    fail("set_data: {} has no gradient, this tensor requires one", name_of(other.dtype()));
  }
  const TensorImpl& from = *other.impl_;
  from.storage->retain();
  impl_->storage->drop();
  impl_->storage = from.storage;
  impl_->data = from.data;
  impl_->shape = from.shape;
  impl_->strides = from.strides;
  impl_->numel = from.numel;
  impl_->dtype = from.dtype;
  impl_->contiguous = from.contiguous;
}

Tensor Tensor::detach() const {
  refuse_undefined("detach", *this);
  return view_of(*this, shape(), strides());
}

Tensor Tensor::grad() const {
  refuse_undefined("grad", *this);
  if (impl_->gradient == nullptr) return {};
  impl_->gradient->retain();
  return adopt(impl_->gradient);
}

void Tensor::set_grad(const Tensor& gradient) const {
  refuse_undefined("set_grad", *this);
  if (gradient.defined() && (!(gradient.shape() == shape()) || gradient.dtype() != dtype())) {
    fail("set_grad: the gradient is {}, the tensor {}", gradient.to_string(), to_string());
  }
  if (!gradient.defined() && impl_->extras != nullptr) impl_->extras->sparse = {};
  if (gradient.defined()) gradient.impl_->retain();
  if (impl_->gradient != nullptr) impl_->gradient->drop();
  impl_->gradient = gradient.impl_;
}

Tensor& Tensor::set_requires_grad(bool value) {
  refuse_undefined("set_requires_grad", *this);
  if (value && !is_floating(dtype())) {
    fail("set_requires_grad: {} has no gradient, floating types have", name_of(dtype()));
  }
  if (impl_->producer != nullptr) fail("set_requires_grad: only leaves can be marked; use detach() first");
  impl_->requires_grad = value;
  return *this;
}

#define FERAL_INSTANTIATE(T)                                                   \
  template Tensor Tensor::from_vector<T>(const std::vector<T>&, const Shape&); \
  template T* Tensor::data<T>() const;                                         \
  template T Tensor::item<T>() const;                                          \
  template std::vector<T> Tensor::to_vector<T>() const;
FERAL_INSTANTIATE(float)
FERAL_INSTANTIATE(double)
FERAL_INSTANTIATE(std::int32_t)
FERAL_INSTANTIATE(std::int64_t)
FERAL_INSTANTIATE(std::uint8_t)
FERAL_INSTANTIATE(std::int8_t)
FERAL_INSTANTIATE(std::int16_t)
FERAL_INSTANTIATE(bool)
FERAL_INSTANTIATE(Float16)
FERAL_INSTANTIATE(BFloat16)
#undef FERAL_INSTANTIATE

}  // namespace feral
