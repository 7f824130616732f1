// Matrix products: floats through OpenBLAS, integers by a loop.
#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/integer_product.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/racy.hpp"

namespace feral::cpu {
namespace {

// Matrices as BLAS wants them, in the last two dimensions: rows contiguous, or columns contiguous and read
// transposed.
struct Matrices {
  Tensor tensor;
  bool transposed;
  std::int64_t leading;
};

Matrices as_matrices(const Tensor& x) {
  constexpr std::int64_t largest = std::numeric_limits<int>::max();
  const int last = x.dims() - 1;
  const std::int64_t rows = x.shape()[last - 1];
  const std::int64_t columns = x.shape()[last];
  const std::int64_t row_stride = x.strides()[last - 1];
  const std::int64_t column_stride = x.strides()[last];
  if ((column_stride == 1 || columns == 1) && ((row_stride >= columns && row_stride <= largest) || rows == 1)) {
    return {x, false, std::max<std::int64_t>(rows == 1 ? columns : row_stride, 1)};
  }
  if ((row_stride == 1 || rows == 1) && ((column_stride >= rows && column_stride <= largest) || columns == 1)) {
    return {x, true, std::max<std::int64_t>(columns == 1 ? rows : column_stride, 1)};
  }
  const Tensor packed = Tensor::empty(x.shape(), x.dtype());
  copy(packed, x);
  return {packed, false, std::max<std::int64_t>(columns, 1)};
}

// One product after another of the same sizes.
template <class T>
struct Product {
  std::int64_t m, n, k;
  bool left_transposed, right_transposed;
  std::int64_t left_leading, right_leading;

  // c [m, n], contiguous, plus itself when accumulate.
  void operator()(T* c, const T* a, const T* b, bool accumulate) const {
    if constexpr (std::is_floating_point_v<T>) {
      gemm(left_transposed, right_transposed, m, n, k, a, left_leading, b, right_leading, accumulate ? T{1} : T{0},
           c, n);
    } else {
      if (!accumulate) std::fill_n(c, m * n, T{});
      integer_gemm(m, n, k, a, left_transposed ? 1 : left_leading, left_transposed ? left_leading : 1, b,
                   right_leading, c, n);
    }
  }
};

template <class Function>
void visit_product_type(DType dtype, Function&& function) {
  visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) function.template operator()<T>();
  });
}

// Integer kernels want the rows of the right matrix contiguous.
Matrices as_right(const Tensor& x) {
  if (is_floating(x.dtype()) || x.strides()[x.dims() - 1] == 1) return as_matrices(x);
  const Tensor packed = Tensor::empty(x.shape(), x.dtype());
  copy(packed, x);
  return {packed, false, std::max<std::int64_t>(x.shape()[x.dims() - 1], 1)};
}

// The batch dimensions of a product: sizes of the result, and how far each operand moves along them.
struct Batch {
  int dims;
  std::int64_t count = 1;
  std::array<std::int64_t, Shape::max_dims> sizes{}, left{}, right{};

  Batch(const Tensor& out, const Tensor& a, const Tensor& b) : dims(out.dims() - 2) {
    for (int i = 0; i < dims; ++i) {
      sizes[i] = out.shape()[i];
      count *= sizes[i];
      left[i] = stride(a, i - (out.dims() - a.dims()));
      right[i] = stride(b, i - (out.dims() - b.dims()));
    }
  }

  static std::int64_t stride(const Tensor& x, int dim) {
    return dim < 0 || x.shape()[dim] == 1 ? 0 : x.strides()[dim];
  }

  // Whether one right matrix serves all, and the left ones lie below each other as one tall matrix.
  bool is_one_tall_product(std::int64_t rows, std::int64_t leading) const {
    std::int64_t expected = rows * leading;
    for (int i = dims - 1; i >= 0; --i) {
      if (sizes[i] == 1) continue;
      if (right[i] != 0 || left[i] != expected) return false;
      expected *= sizes[i];
    }
    return count * rows <= std::numeric_limits<int>::max();
  }
};

}  // namespace

void matmul(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  const std::int64_t m = out.shape()[0];
  const std::int64_t n = out.shape()[1];
  const std::int64_t k = a.shape()[1];
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (!accumulate) fill(out, 0);
    return;
  }
  const Matrices left = as_matrices(a);
  const Matrices right = as_right(b);
  visit_product_type(out.dtype(), [&]<class T>() {
    const Product<T> product{m, n, k, left.transposed, right.transposed, left.leading, right.leading};
    product(out.data<T>(), left.tensor.data<T>(), right.tensor.data<T>(), accumulate);
  });
}

void bmm(const Tensor& out, const Tensor& a, const Tensor& b) {
  const std::int64_t m = out.shape()[out.dims() - 2];
  const std::int64_t n = out.shape()[out.dims() - 1];
  const std::int64_t k = a.shape()[a.dims() - 1];
  if (out.numel() == 0) return;
  if (k == 0) {
    fill(out, 0);
    return;
  }
  const Matrices left = as_matrices(a);
  const Matrices right = as_right(b);
  const Batch batch(out, left.tensor, right.tensor);
  visit_product_type(out.dtype(), [&]<class T>() {
    T* c = out.data<T>();
    const T* left_data = left.tensor.data<T>();
    const T* right_data = right.tensor.data<T>();
    Product<T> product{m, n, k, left.transposed, right.transposed, left.leading, right.leading};
    if (!left.transposed && batch.is_one_tall_product(m, left.leading)) {
      product.m = batch.count * m;
      product(c, left_data, right_data, false);
      return;
    }
    std::array<std::int64_t, Shape::max_dims> index{};
    for (std::int64_t i = 0;;) {
      product(c, left_data, right_data, false);
      if (++i == batch.count) return;
      c += m * n;
      for (int dim = batch.dims - 1; dim >= 0; --dim) {
        left_data += batch.left[dim];
        right_data += batch.right[dim];
        if (++index[dim] < batch.sizes[dim]) break;
        left_data -= batch.left[dim] * batch.sizes[dim];
        right_data -= batch.right[dim] * batch.sizes[dim];
        index[dim] = 0;
      }
    }
  });
}

void fill_rows(const Tensor& out, const Tensor& row) {
  const std::int64_t n = row.shape()[0];
  visit_floating(out.dtype(), [&]<class T>() {
    T* first = out.data<T>();
    const std::int64_t rows = out.shape()[0];
    if (rows == 0) return;
    racy_copy(first, row.data<T>(), static_cast<std::size_t>(n));  // a bias may be a live parameter
    for (std::int64_t i = 1; i < rows; ++i) std::copy_n(first, n, first + i * n);
  });
}

}  // namespace feral::cpu
