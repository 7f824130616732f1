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
#include <string_view>
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
  noexcept
      : value(static_cast<double>(number)),
        integer(std::is_floating_point_v<T> ? 0 : static_cast<std::int64_t>(number)),
        floating(std::is_floating_point_v<T>),
        boolean(std::is_same_v<T, bool>) {}
  double value;          // an integer beyond 2^53 is rounded
  std::int64_t integer;  // the exact one; 0 for a floating number
  bool floating;
  bool boolean;  // a bool keeps the type of a bool tensor, too
};

class Generator;  // tensor/generator.hpp
struct Index;     // tensor/index.hpp
struct SparseGradient;
struct ValuesIndices;
struct UniqueResult;

class Tensor {
 public:
  // --- making

  Tensor() noexcept {}  // undefined; not defaulted: clang 14 could not use it in this class
  static Tensor empty(const Shape& shape, DType dtype = DType::float32);  // uninitialized
  static Tensor zeros(const Shape& shape, DType dtype = DType::float32);
  static Tensor ones(const Shape& shape, DType dtype = DType::float32);
  static Tensor full(const Shape& shape, Scalar value, DType dtype = DType::float32);
  static Tensor zeros_like(const Tensor& other);  // contiguous, of its shape and type
  static Tensor ones_like(const Tensor& other);
  static Tensor full_like(const Tensor& other, Scalar value);
  static Tensor empty_like(const Tensor& other);
  // start, start + step, … below end (above it for a negative step). Without a type: int64 when all three are
  // integers, float32 otherwise.
  static Tensor arange(Scalar end);
  static Tensor arange(Scalar start, Scalar end, Scalar step = 1);
  static Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype);
  // `count` numbers evenly from start to end, both included.
  static Tensor linspace(double start, double end, std::int64_t count, DType dtype = DType::float32);
  static Tensor eye(std::int64_t rows, DType dtype = DType::float32);
  static Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype = DType::float32);

  // Random numbers, drawn from `generator`, or the calling thread's default_generator(): the same numbers for the
  // same (seed, stream, offset) in every process and on every device (docs/tensor.md says which word gives which
  // element).
  static Tensor rand(const Shape& shape, DType dtype = DType::float32, Generator* generator = nullptr);   // [0, 1)
  static Tensor randn(const Shape& shape, DType dtype = DType::float32, Generator* generator = nullptr);  // normal
  static Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = DType::int64,
                        Generator* generator = nullptr);                   // [low, high)
  static Tensor randperm(std::int64_t n, Generator* generator = nullptr);  // int64, 0 … n - 1 in random order
  // bool-like ones and zeros of this tensor's shape and type: 1 with the probability that stands at the element.
  Tensor bernoulli(Generator* generator = nullptr) const;
  // Columns drawn with the weights in a row: [n] → int64 [samples], [rows, n] → int64 [rows, samples]. Weights need
  // not add up to 1; without replacement at least `samples` of them must be above 0.
  Tensor multinomial(std::int64_t samples, bool replacement = false, Generator* generator = nullptr) const;

  // Copies `values` in row-major order; their number must be that of `shape`.
  template <class T>
  static Tensor from_vector(const std::vector<T>& values, const Shape& shape);
  // Views memory that the caller keeps alive and aligned to its elements: an arena slot, a mapped file. Elements of
  // bool are bytes 0 and 1.
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
  // The one element of a tensor that has exactly one, as a double or converted to T.
  double item() const;
  template <class T>
  T item() const;
  // All elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;
  std::string to_string() const;  // "Tensor float32 [2, 3]": what it is, not its elements
  // Its elements as NumPy prints them; large tensors are summarized (tensor/print.hpp has the options, and
  // operator<<).
  std::string repr() const;

  // --- gradients (defined in autograd/)

  bool requires_grad() const noexcept { return impl_ != nullptr && impl_->requires_grad; }
  // Marks a leaf of floating type. Returns itself.
  Tensor& set_requires_grad(bool value);
  bool is_leaf() const noexcept { return impl_->producer == nullptr; }
  Tensor grad() const;                          // undefined before the first backward
  void set_grad(const Tensor& gradient) const;  // an undefined one drops the gradient, a sparse one, too
  // Adds d(this)/d(leaf) to the gradient of every leaf. Without `gradient` the tensor must have one element. Frees
  // the tape on the way unless retain_graph; records the gradient's own computation with create_graph.
  void backward(const Tensor& gradient = {}, bool retain_graph = false, bool create_graph = false) const;
  Tensor detach() const;  // the same memory, off the tape
  // The rows of a leaf that embedding(…, {.sparse = true}) has read, and their gradients; both undefined when there
  // are none. A leaf may have both kinds of gradient: they add up.
  SparseGradient sparse_grad() const;
  void set_sparse_grad(const SparseGradient& gradient) const;
  // Calls `hook` with the gradient of this tensor once all of it has arrived, before it goes on (or into grad():
  // for a leaf, with what this backward adds). A defined answer takes its place. The number removes it.
  std::size_t register_hook(std::function<Tensor(const Tensor& gradient)> hook) const;
  void remove_hook(std::size_t number) const;
  // Keeps the gradient of a tensor that is no leaf in its grad(), too.
  void retain_grad() const;
  // Another number after each write in place through this library; views of one memory share it. Writes through
  // data() (unless touch() says so) and by other processes are not seen. A tensor that an op has saved for its
  // gradient and that has been written since is an error in backward.
  std::uint32_t version() const noexcept { return impl_->storage->version; }
  void touch() const noexcept { impl_->storage->touch(); }

  // --- copies and conversions

  Tensor clone() const;          // contiguous copy
  Tensor contiguous() const;     // itself when it is contiguous
  Tensor to(DType dtype) const;  // itself when it has that type
  // In place. Recorded like the methods below, except that a leaf's elements may be set: copied from what requires
  // no gradient, filled, drawn.
  const Tensor& copy_(const Tensor& source) const;  // broadcasts and converts
  const Tensor& fill_(Scalar value) const;
  const Tensor& zero_() const { return fill_(0); }
  const Tensor& uniform_(double low = 0, double high = 1, Generator* generator = nullptr) const;  // [low, high)
  const Tensor& normal_(double mean = 0, double std = 1, Generator* generator = nullptr) const;
  // Normal numbers outside of [low, high] left out, by inversion.
  const Tensor& truncated_normal_(double mean = 0, double std = 1, double low = -2, double high = 2,
                                  Generator* generator = nullptr) const;
  const Tensor& exponential_(double rate = 1, Generator* generator = nullptr) const;
  const Tensor& bernoulli_(double probability = 0.5, Generator* generator = nullptr) const;          // 1 or 0
  const Tensor& random_(std::int64_t low, std::int64_t high, Generator* generator = nullptr) const;  // integers

  // --- in place: the method of the same name without the underscore, written into this tensor, which keeps its
  // type (an error where the result's type does not fit into it, as in PyTorch) and its shape. Operands may overlap
  // this tensor: the result is as if they had been copied first. A tensor that overlaps itself (an expanded view)
  // is refused. When gradients are enabled and this tensor or an operand requires one, the op is recorded and this
  // tensor becomes its result; refused then: a leaf that requires a gradient, and a tensor that another one shares
  // memory with, a view and what it looks at for example (use the form without underscore).

  const Tensor& add_(const Tensor& other) const;
  const Tensor& sub_(const Tensor& other) const;
  const Tensor& mul_(const Tensor& other) const;
  const Tensor& div_(const Tensor& other) const;
  const Tensor& pow_(const Tensor& other) const;
  const Tensor& fmod_(const Tensor& other) const;
  const Tensor& remainder_(const Tensor& other) const;
  const Tensor& maximum_(const Tensor& other) const;
  const Tensor& minimum_(const Tensor& other) const;
  const Tensor& add_(Scalar other) const;
  const Tensor& sub_(Scalar other) const;
  const Tensor& mul_(Scalar other) const;
  const Tensor& div_(Scalar other) const;
  const Tensor& pow_(Scalar other) const;
  const Tensor& clamp_(Scalar low, Scalar high) const;
  const Tensor& lerp_(const Tensor& end, Scalar weight) const;
  const Tensor& bitwise_and_(const Tensor& other) const;
  const Tensor& bitwise_or_(const Tensor& other) const;
  const Tensor& bitwise_xor_(const Tensor& other) const;
  const Tensor& neg_() const;
  const Tensor& abs_() const;
  const Tensor& sign_() const;
  const Tensor& square_() const;
  const Tensor& floor_() const;
  const Tensor& ceil_() const;
  const Tensor& trunc_() const;
  const Tensor& round_() const;
  const Tensor& exp_() const;
  const Tensor& log_() const;
  const Tensor& sqrt_() const;
  const Tensor& rsqrt_() const;
  const Tensor& reciprocal_() const;
  const Tensor& sin_() const;
  const Tensor& cos_() const;
  const Tensor& tanh_() const;
  const Tensor& sigmoid_() const;
  const Tensor& relu_() const;
  const Tensor& erf_() const;
  const Tensor& nan_to_num_(double nan = 0) const;
  const Tensor& masked_fill_(const Tensor& mask, Scalar value) const;
  const Tensor& masked_scatter_(const Tensor& mask, const Tensor& source) const;
  const Tensor& index_put_(std::initializer_list<Index> indices, const Tensor& values,
                           bool accumulate = false) const;
  const Tensor& index_add_(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  const Tensor& index_copy_(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  const Tensor& index_fill_(std::int64_t dim, const Tensor& index, Scalar value) const;
  const Tensor& scatter_(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  const Tensor& scatter_add_(std::int64_t dim, const Tensor& index, const Tensor& source) const;

  // Makes this contiguous leaf, and all that share its handle, a view of `data`, which the caller keeps alive.
  void rebind(void* data) const;
  // Makes this leaf, and all that share its handle, show the memory of `other`, with its shape and type. Its
  // gradient must have been dropped.
  void set_data(const Tensor& other) const;

  // --- views

  Tensor reshape(const Shape& shape) const;  // one size may be -1; copies where no view exists
  Tensor flatten(std::int64_t start_dim = 0) const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor expand(const Shape& shape) const;  // broadcast view; -1 keeps a size
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;
  Tensor view(const Shape& shape) const;  // reshape that never copies: throws where no view exists
  Tensor view_as(const Tensor& other) const { return view(other.shape()); }
  Tensor reshape_as(const Tensor& other) const { return reshape(other.shape()); }
  Tensor expand_as(const Tensor& other) const { return expand(other.shape()); }
  Tensor flatten(std::int64_t start_dim, std::int64_t end_dim) const;
  Tensor unflatten(std::int64_t dim, const Shape& sizes) const;
  Tensor t() const;  // of at most two dimensions
  Tensor permute(const Dims& dims) const;
  Tensor movedim(std::int64_t from, std::int64_t to) const;
  Tensor squeeze() const;  // without its dimensions of size 1
  Tensor squeeze(const Dims& dims) const;
  Tensor unsqueeze(std::int64_t dim) const;
  Tensor select(std::int64_t dim, std::int64_t index) const;  // without that dimension
  // start, start + step, … below stop, as Python's: counted from the end when negative, cut to the size; step >= 1.
  Tensor slice(std::int64_t dim, std::int64_t start, std::int64_t stop, std::int64_t step = 1) const;
  Tensor operator[](std::int64_t index) const { return select(0, index); }
  Tensor diagonal(std::int64_t offset = 0, std::int64_t dim0 = 0, std::int64_t dim1 = 1) const;
  Tensor unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const;  // windows, in a new last dimension
  // Any view of the storage; throws where it would reach outside of it. `offset` counts from this tensor's first
  // element.
  Tensor as_strided(const Shape& shape, const Shape& strides, std::int64_t offset = 0) const;
  std::vector<Tensor> split(std::int64_t size, std::int64_t dim = 0) const;  // the last may be smaller
  std::vector<Tensor> split(const std::vector<std::int64_t>& sizes, std::int64_t dim = 0) const;
  std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0) const;
  std::vector<Tensor> unbind(std::int64_t dim = 0) const;

  // --- rearranged copies

  Tensor flip(const Dims& dims) const;
  Tensor roll(const Shape& shifts, const Dims& dims) const;
  Tensor roll(std::int64_t shift) const;  // of all elements in row-major order
  Tensor rot90(std::int64_t times, std::int64_t dim0 = 0, std::int64_t dim1 = 1) const;
  Tensor repeat(const Shape& repeats) const;  // PyTorch's: the whole, `repeats` times along each dimension
  Tensor tile(const Shape& repeats) const;    // NumPy's: the same, missing repeats are 1
  Tensor repeat_interleave(std::int64_t repeats) const;  // of all elements in row-major order
  Tensor repeat_interleave(std::int64_t repeats, std::int64_t dim) const;
  Tensor repeat_interleave(const Tensor& repeats, std::int64_t dim) const;  // int64, one number a position
  Tensor tril(std::int64_t diagonal = 0) const;  // of the last two dimensions, the rest 0
  Tensor triu(std::int64_t diagonal = 0) const;
  Tensor diag(std::int64_t diagonal = 0) const;     // a vector on the diagonal of a matrix, or a matrix's diagonal
  Tensor one_hot(std::int64_t classes = -1) const;  // int64 [...] → int64 [..., classes]; -1: largest + 1

  // --- by index. Indices are int64 or int32, and count from the end when negative where NumPy's do (index, take,
  // index_put_ and take_along_dim); elsewhere as in PyTorch they must lie within.

  // NumPy's and PyTorch's x[...]: integers, slices, newaxis, ellipsis, integer and bool tensors (tensor/index.hpp).
  Tensor index(std::initializer_list<Index> indices) const;
  Tensor gather(std::int64_t dim, const Tensor& index) const;
  Tensor scatter(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor scatter(std::int64_t dim, const Tensor& index, Scalar value) const;
  Tensor scatter_add(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  // reduce: "sum", "prod", "mean", "amax" or "amin".
  Tensor scatter_reduce(std::int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                        bool include_self = true) const;
  Tensor index_select(std::int64_t dim, const Tensor& index) const;
  Tensor index_add(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor index_copy(std::int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor index_fill(std::int64_t dim, const Tensor& index, Scalar value) const;
  Tensor take(const Tensor& index) const;                                // of the elements in row-major order
  Tensor take_along_dim(const Tensor& indices, std::int64_t dim) const;  // broadcasts all other dimensions
  Tensor masked_select(const Tensor& mask) const;                        // 1-dimensional
  Tensor masked_fill(const Tensor& mask, Scalar value) const;
  Tensor nonzero() const;  // int64 [count, dims]

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

  // Integers keep their type in pow, fmod, remainder and floor_divide (a divisor of 0 is an error); the others
  // compute them as float32.
  Tensor pow(const Tensor& other) const;
  Tensor pow(Scalar other) const;
  Tensor atan2(const Tensor& other) const;
  Tensor hypot(const Tensor& other) const;
  Tensor fmod(const Tensor& other) const;       // the sign is the dividend's
  Tensor remainder(const Tensor& other) const;  // the sign is the divisor's
  Tensor logaddexp(const Tensor& other) const;  // log(e^a + e^b)
  Tensor logaddexp2(const Tensor& other) const;
  Tensor xlogy(const Tensor& other) const;  // a log b, 0 where a is 0
  Tensor copysign(const Tensor& other) const;
  Tensor nextafter(const Tensor& other) const;  // not differentiable
  Tensor fmod(Scalar other) const;
  Tensor remainder(Scalar other) const;
  Tensor floor_divide(const Tensor& other) const;  // integers keep their type; not differentiable
  Tensor floor_divide(Scalar other) const;
  Tensor lerp(const Tensor& end, Scalar weight) const;  // this + weight * (end - this)
  Tensor lerp(const Tensor& end, const Tensor& weight) const;
  Tensor addcmul(const Tensor& a, const Tensor& b, double value = 1) const;  // this + value * a * b
  Tensor addcdiv(const Tensor& a, const Tensor& b, double value = 1) const;
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
  Tensor erfinv() const;
  Tensor lgamma() const;
  Tensor digamma() const;
  Tensor logit() const;
  Tensor logsigmoid() const;
  Tensor sinc() const;
  Tensor gelu(bool tanh_approximation = false) const;
  Tensor silu() const;
  Tensor mish() const;
  Tensor elu(double alpha = 1) const;
  Tensor leaky_relu(double slope = 0.01) const;
  Tensor hardtanh(double low = -1, double high = 1) const;
  Tensor frac() const;
  Tensor deg2rad() const;
  Tensor rad2deg() const;
  Tensor nan_to_num(double nan = 0) const;  // infinities become the type's largest and smallest
  Tensor nan_to_num(double nan, double positive_infinity, double negative_infinity) const;

  // Integers keep their type.
  Tensor abs() const;
  Tensor sign() const;
  Tensor square() const;
  Tensor floor() const;
  Tensor ceil() const;
  Tensor trunc() const;
  Tensor round() const;  // ties to even
  Tensor relu() const;
  Tensor positive() const { return *this; }
  Tensor clamp_min(Scalar low) const;
  Tensor clamp_max(Scalar high) const;

  // Integers and bool; not differentiable.
  Tensor bitwise_and(const Tensor& other) const;
  Tensor bitwise_or(const Tensor& other) const;
  Tensor bitwise_xor(const Tensor& other) const;
  Tensor bitwise_not() const;
  Tensor bitwise_left_shift(const Tensor& other) const;   // a shift by the width or more gives 0
  Tensor bitwise_right_shift(const Tensor& other) const;  // of signed numbers: arithmetic
  Tensor gcd(const Tensor& other) const;
  Tensor lcm(const Tensor& other) const;
  // bool; not differentiable. Of any type: a number other than 0 is true.
  Tensor logical_and(const Tensor& other) const;
  Tensor logical_or(const Tensor& other) const;
  Tensor logical_xor(const Tensor& other) const;
  Tensor logical_not() const;
  Tensor isnan() const;
  Tensor isinf() const;
  Tensor isfinite() const;
  Tensor signbit() const;
  Tensor isclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;
  bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;
  bool equal(const Tensor& other) const;  // same shape and elements
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

  // --- reductions. `dims` names the dimensions to reduce, each once; without it all are. keepdim leaves them with
  // size 1. Integers and bool: sum and prod are int64; mean, var, std, norm and logsumexp compute as float32.

  Tensor sum() const;
  Tensor sum(const Dims& dims, bool keepdim = false) const;
  Tensor sum_to(const Shape& shape) const;  // undoes a broadcast: the gradient of expand
  Tensor mean() const;
  Tensor mean(const Dims& dims, bool keepdim = false) const;
  Tensor prod() const;
  Tensor prod(const Dims& dims, bool keepdim = false) const;
  // Divided by (count - correction); 1 is Bessel's.
  Tensor var() const;
  Tensor var(const Dims& dims, double correction = 1, bool keepdim = false) const;
  Tensor std() const;
  Tensor std(const Dims& dims, double correction = 1, bool keepdim = false) const;
  Tensor amax(const Dims& dims, bool keepdim = false) const;  // a NaN is the largest, and the smallest
  Tensor amin(const Dims& dims, bool keepdim = false) const;  // equal ones share the gradient
  Tensor max() const;
  Tensor min() const;
  ValuesIndices max(std::int64_t dim, bool keepdim = false) const;  // the first of equals gets the gradient
  ValuesIndices min(std::int64_t dim, bool keepdim = false) const;
  // int64, the first of equals, a NaN before all; not differentiable. The index among all elements without `dim`.
  Tensor argmax() const;
  Tensor argmin() const;
  Tensor argmax(std::int64_t dim, bool keepdim = false) const;
  Tensor argmin(std::int64_t dim, bool keepdim = false) const;
  Tensor any() const;  // bool; not differentiable
  Tensor all() const;
  Tensor any(const Dims& dims, bool keepdim = false) const;
  Tensor all(const Dims& dims, bool keepdim = false) const;
  Tensor count_nonzero() const;  // int64
  Tensor count_nonzero(const Dims& dims) const;
  Tensor norm(double p = 2) const;  // p may be infinite, or 0: the number of nonzero elements
  Tensor norm(double p, const Dims& dims, bool keepdim = false) const;
  Tensor logsumexp(const Dims& dims, bool keepdim = false) const;
  Tensor median() const;  // the lower of two middle elements; a NaN wins
  ValuesIndices median(std::int64_t dim, bool keepdim = false) const;

  // --- along one dimension

  Tensor cumsum(std::int64_t dim) const;
  Tensor cumprod(std::int64_t dim) const;
  Tensor softmax(std::int64_t dim) const;
  Tensor log_softmax(std::int64_t dim) const;

  // --- order

  // NaN is the largest. Equal elements keep their order (sort, argsort); others' order is as given by `sort`.
  ValuesIndices sort(std::int64_t dim = -1, bool descending = false) const;
  Tensor argsort(std::int64_t dim = -1, bool descending = false) const;
  ValuesIndices topk(std::int64_t k, std::int64_t dim = -1, bool largest = true) const;       // in order
  ValuesIndices kthvalue(std::int64_t k, std::int64_t dim = -1, bool keepdim = false) const;  // k from 1
  UniqueResult unique() const;  // sorted, of all elements
  // How often each number from 0 on stands in a 1-dimensional integer tensor; with weights, their sums.
  Tensor bincount(const Tensor& weights = {}, std::int64_t min_length = 0) const;
  // Counts in `bins` equal bins over [low, high] (both 0: smallest to largest element), in this tensor's type.
  Tensor histogram(std::int64_t bins, double low = 0, double high = 0) const;

  // --- products

  // NumPy's and PyTorch's: matrices, vectors, batches, broadcast.
  Tensor matmul(const Tensor& other) const;
  Tensor mm(const Tensor& other) const;   // [m, k] × [k, n] → [m, n]
  Tensor bmm(const Tensor& other) const;  // [b, m, k] × [b, k, n] → [b, m, n]
  Tensor mv(const Tensor& other) const;   // [m, k] × [k] → [m]
  Tensor dot(const Tensor& other) const;
  Tensor outer(const Tensor& other) const;  // [m] × [n] → [m, n]
  Tensor kron(const Tensor& other) const;
  Tensor trace() const;  // of a matrix

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

// Gradients of some rows of a parameter [n, d]; those of all others are 0.
struct SparseGradient {
  Tensor rows;    // int64 [k], ascending, each once
  Tensor values;  // [k, d]
  bool defined() const noexcept { return rows.defined(); }
};

// What ops answer that find elements and where they stood; indices are int64.
struct ValuesIndices {
  Tensor values;
  Tensor indices;
};
struct UniqueResult {
  Tensor values;   // [n], ascending
  Tensor inverse;  // int64, of the input's shape: where each element stands in `values`
  Tensor counts;   // int64 [n]
};

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
inline const Tensor& operator+=(const Tensor& a, const Tensor& b) { return a.add_(b); }
inline const Tensor& operator-=(const Tensor& a, const Tensor& b) { return a.sub_(b); }
inline const Tensor& operator*=(const Tensor& a, const Tensor& b) { return a.mul_(b); }
inline const Tensor& operator/=(const Tensor& a, const Tensor& b) { return a.div_(b); }
inline const Tensor& operator+=(const Tensor& a, Scalar b) { return a.add_(b); }
inline const Tensor& operator-=(const Tensor& a, Scalar b) { return a.sub_(b); }
inline const Tensor& operator*=(const Tensor& a, Scalar b) { return a.mul_(b); }
inline const Tensor& operator/=(const Tensor& a, Scalar b) { return a.div_(b); }

}  // namespace feral
