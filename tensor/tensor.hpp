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
#include <type_traits>
#include <utility>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"
#include "tensor/tensor_impl.hpp"

namespace feral {

// A plain number beside a tensor. An integer keeps the type of an integer tensor; a floating number makes it
// float32.
struct Scalar {
  template <class T>
  requires std::is_arithmetic_v<T> Scalar(T number)
  noexcept : value(static_cast<double>(number)), floating(std::is_floating_point_v<T>) {}
  double value;
  bool floating;
};

class Tensor {
 public:
  // --- making

  Tensor() noexcept {}  // undefined; not defaulted: clang 14 could not use it in this class
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

  Tensor reshape(const Shape& shape) const;  // one size may be -1; copies where no view exists
  Tensor flatten(std::int64_t start_dim = 0) const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor expand(const Shape& shape) const;  // broadcast view
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;

  // --- elementwise, with NumPy's broadcasting and PyTorch's promotion of types

  Tensor add(const Tensor& other) const;
  Tensor sub(const Tensor& other) const;
  Tensor mul(const Tensor& other) const;
  Tensor div(const Tensor& other) const;  // true division: integers become float32
  Tensor add(Scalar other) const;
  Tensor sub(Scalar other) const;
  Tensor rsub(Scalar other) const;  // other - x
  Tensor mul(Scalar other) const;
  Tensor div(Scalar other) const;
  Tensor rdiv(Scalar other) const;                  // other / x
  Tensor affine(double scale, double shift) const;  // scale * x + shift, float32 and float64
  Tensor neg() const;
  Tensor maximum(const Tensor& other) const;  // a NaN on either side is the result
  Tensor minimum(const Tensor& other) const;
  Tensor clamp(Scalar low, Scalar high) const;

  // Of floats; integers are computed as float32.
  Tensor pow(const Tensor& other) const;
  Tensor pow(Scalar other) const;
  Tensor atan2(const Tensor& other) const;
  Tensor hypot(const Tensor& other) const;
  Tensor fmod(const Tensor& other) const;       // the sign is the dividend's
  Tensor remainder(const Tensor& other) const;  // the sign is the divisor's
  Tensor logaddexp(const Tensor& other) const;  // log(e^a + e^b)
  Tensor exp() const;
  Tensor exp2() const;
  Tensor expm1() const;
  Tensor log() const;
  Tensor log2() const;
  Tensor log10() const;
  Tensor log1p() const;
  Tensor sqrt() const;
  Tensor rsqrt() const;
  Tensor reciprocal() const;
  Tensor sin() const;
  Tensor cos() const;
  Tensor tan() const;
  Tensor asin() const;
  Tensor acos() const;
  Tensor atan() const;
  Tensor sinh() const;
  Tensor cosh() const;
  Tensor tanh() const;
  Tensor asinh() const;
  Tensor acosh() const;
  Tensor atanh() const;
  Tensor sigmoid() const;
  Tensor softplus() const;
  Tensor erf() const;
  Tensor erfc() const;

  // Integers keep their type.
  Tensor abs() const;
  Tensor sign() const;
  Tensor square() const;
  Tensor floor() const;
  Tensor ceil() const;
  Tensor trunc() const;
  Tensor round() const;  // ties to even
  Tensor relu() const;

  // bool; not differentiable.
  Tensor eq(const Tensor& other) const;
  Tensor ne(const Tensor& other) const;
  Tensor lt(const Tensor& other) const;
  Tensor le(const Tensor& other) const;
  Tensor gt(const Tensor& other) const;
  Tensor ge(const Tensor& other) const;
  Tensor eq(Scalar other) const;
  Tensor ne(Scalar other) const;
  Tensor lt(Scalar other) const;
  Tensor le(Scalar other) const;
  Tensor gt(Scalar other) const;
  Tensor ge(Scalar other) const;

  // --- reductions

  Tensor sum() const;   // of all elements, 0-dimensional
  Tensor mean() const;  // likewise
  Tensor sum(std::initializer_list<std::int64_t> dims, bool keepdim = false) const;
  Tensor sum_to(const Shape& shape) const;     // undoes a broadcast: the gradient of expand
  Tensor argmax(std::int64_t dim = -1) const;  // int64, the first of equals; not differentiable

  // --- products

  Tensor matmul(const Tensor& other) const;  // [m, k] × [k, n] → [m, n]

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
  // The number as a 0-dimensional tensor of the type that it has beside this one.
  Tensor as_operand(const Scalar& scalar) const;

  TensorImpl* impl_ = nullptr;
};

static_assert(sizeof(Tensor) == sizeof(void*));

inline Tensor operator+(const Tensor& a, const Tensor& b) { return a.add(b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return a.sub(b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return a.mul(b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return a.div(b); }
inline Tensor operator-(const Tensor& a) { return a.neg(); }
inline Tensor operator+(const Tensor& a, Scalar b) { return a.add(b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return b.add(a); }
inline Tensor operator-(const Tensor& a, Scalar b) { return a.sub(b); }
inline Tensor operator-(Scalar a, const Tensor& b) { return b.rsub(a); }
inline Tensor operator*(const Tensor& a, Scalar b) { return a.mul(b); }
inline Tensor operator*(Scalar a, const Tensor& b) { return b.mul(a); }
inline Tensor operator/(const Tensor& a, Scalar b) { return a.div(b); }
inline Tensor operator/(Scalar a, const Tensor& b) { return b.rdiv(a); }

}  // namespace feral
