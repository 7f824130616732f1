// Tensor: a strided, typed view of memory, with the tape that recorded it.
//
// A Tensor is one counted pointer; copying it shares the elements. Counts and caches are not atomic: a tensor
// belongs to the thread that made it (processes, or threads in tests, share memory and make their own tensors over
// it).
//
// Methods without a note are recorded on the tape when gradients are enabled and an input requires one. Every
// method throws feral::Error, naming itself and both shapes or types, before it has written anything.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"
#include "tensor/tensor_impl.hpp"

namespace feral {

class Tensor {
 public:
  // --- making
  // -----------------------------------------------------------------------------------------------------

  Tensor() noexcept = default;                                            // undefined: no elements, no shape
  static Tensor empty(const Shape& shape, DType dtype = DType::float32);  // uninitialized
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32);
  static Tensor ones(const Shape& shape, DType dtype = DType::float32);
  static Tensor full(const Shape& shape, double value, DType dtype = DType::float32);
  // Copies `values` in row-major order; their number must be that of `shape`.
  template <class T>
  static Tensor from_vector(const std::vector<T>& values, const Shape& shape);
  // Views memory that the caller keeps alive and aligned to its elements: an arena slot, a mapped file.
  static Tensor borrow(void* data, const Shape& shape, DType dtype);
  // Views memory from outside; `deleter(data)` is called when the last tensor over it goes.
  static Tensor from_blob(void* data, const Shape& shape, DType dtype, std::function<void(void*)> deleter);

  // --- asking
  // -----------------------------------------------------------------------------------------------------

  bool defined() const noexcept { return impl_ != nullptr; }
  const Shape& shape() const noexcept { return impl_->shape; }
  const Shape& strides() const noexcept { return impl_->strides; }  // in elements
  int dims() const noexcept { return impl_->shape.dims(); }
  std::int64_t size(std::int64_t dim) const;  // dim may count from the end
  std::int64_t numel() const noexcept { return impl_->numel; }
  DType dtype() const noexcept { return impl_->dtype; }
  Device device() const noexcept { return impl_->device; }
  bool is_contiguous() const noexcept { return impl_->contiguous; }
  // The first element. Throws when T is not the element type.
  template <class T>
  T* data() const;
  std::byte* raw_data() const noexcept { return impl_->data; }
  // The one element of a tensor that has exactly one, as a double.
  double item() const;
  // All elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;
  std::string to_string() const;  // "Tensor float32 [2, 3]": what it is, not its elements

  // --- gradients (defined in autograd/)
  // -----------------------------------------------------------------------------

  bool requires_grad() const noexcept { return impl_ != nullptr && impl_->requires_grad; }
  // Marks a leaf of floating type. Returns itself.
  Tensor& set_requires_grad(bool value);
  bool is_leaf() const noexcept { return impl_->producer == nullptr; }
  Tensor grad() const;  // undefined before the first backward
  void set_grad(const Tensor& gradient) const;
  // Adds d(this)/d(leaf) to the gradient of every leaf. Without `gradient` the tensor must have one element. Frees
  // the tape on the way unless retain_graph; records the gradient's own computation with create_graph.
  void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const;
  Tensor detach() const;  // the same memory, off the tape

  // --- copies and conversions
  // ---------------------------------------------------------------------------------------

  Tensor clone() const;          // contiguous copy
  Tensor contiguous() const;     // itself when it is contiguous
  Tensor to(DType dtype) const;  // itself when it has that type
  // In place, not recorded: refused for results of recorded ops. Writing into a leaf that an op has saved for its
  // gradient is not noticed: it changes that gradient.
  const Tensor& copy_(const Tensor& source) const;  // broadcasts and converts
  const Tensor& fill_(double value) const;
  const Tensor& zero_() const { return fill_(0); }

  // Makes this contiguous leaf, and all that share its handle, a view of `data`, which the caller keeps alive.
  void rebind(void* data) const;

  // --- views
  // --------------------------------------------------------------------------------------------------------

  Tensor reshape(const Shape& shape) const;  // one size may be -1; copies where no view exists
  Tensor flatten(std::int64_t start_dim = 0) const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor expand(const Shape& shape) const;  // broadcast view
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;

  // --- elementwise, with NumPy's broadcasting
  // -----------------------------------------------------------------------

  Tensor add(const Tensor& other) const;
  Tensor sub(const Tensor& other) const;
  Tensor mul(const Tensor& other) const;
  Tensor div(const Tensor& other) const;
  Tensor affine(double scale, double shift) const;  // scale * x + shift
  Tensor neg() const { return affine(-1, 0); }
  Tensor exp() const;
  Tensor log() const;
  Tensor relu() const;

  // --- reductions
  // ---------------------------------------------------------------------------------------------------

  Tensor sum() const;   // of all elements, 0-dimensional
  Tensor mean() const;  // likewise
  Tensor sum(std::initializer_list<std::int64_t> dims, bool keepdim = false) const;
  Tensor sum_to(const Shape& shape) const;     // undoes a broadcast: the gradient of expand
  Tensor argmax(std::int64_t dim = -1) const;  // int64, the first of equals; not differentiable

  // --- products
  // -----------------------------------------------------------------------------------------------------

  Tensor matmul(const Tensor& other) const;  // [m, k] × [k, n] → [m, n]

  // ------------------------------------------------------------------------------------------------------------------

  Tensor(const Tensor& other) noexcept : impl_(other.impl_) {
    if (impl_ != nullptr) impl_->retain();
  }
  Tensor(Tensor&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Tensor& operator=(const Tensor& other) noexcept {
    Tensor(other).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor(std::move(other)).swap(*this);
    return *this;
  }
  ~Tensor() {
    if (impl_ != nullptr) impl_->drop();
  }
  void swap(Tensor& other) noexcept { std::swap(impl_, other.impl_); }

  // For tensor/ and autograd/: the pointer itself, and a Tensor that takes a reference over.
  TensorImpl* impl() const noexcept { return impl_; }
  static Tensor adopt(TensorImpl* impl) noexcept {
    Tensor tensor;
    tensor.impl_ = impl;
    return tensor;
  }

 private:
  TensorImpl* impl_ = nullptr;
};

static_assert(sizeof(Tensor) == sizeof(void*));

inline Tensor operator+(const Tensor& a, const Tensor& b) { return a.add(b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return a.sub(b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return a.mul(b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return a.div(b); }
inline Tensor operator-(const Tensor& a) { return a.neg(); }
inline Tensor operator+(const Tensor& a, double b) { return a.affine(1, b); }
inline Tensor operator+(double a, const Tensor& b) { return b.affine(1, a); }
inline Tensor operator-(const Tensor& a, double b) { return a.affine(1, -b); }
inline Tensor operator-(double a, const Tensor& b) { return b.affine(-1, a); }
inline Tensor operator*(const Tensor& a, double b) { return a.affine(b, 0); }
inline Tensor operator*(double a, const Tensor& b) { return b.affine(a, 0); }
inline Tensor operator/(const Tensor& a, double b) { return a.affine(1 / b, 0); }

}  // namespace feral
