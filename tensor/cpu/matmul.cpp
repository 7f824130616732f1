// Matrix products through OpenBLAS.
#include <algorithm>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/kernels.hpp"
#include "tensor/racy.hpp"

namespace feral::cpu {
namespace {

// A matrix as BLAS wants it: rows contiguous, or columns contiguous and read transposed.
struct Matrix {
  Tensor tensor;
  bool transposed;
  std::int64_t leading;
};

Matrix as_matrix(const Tensor& x) {
  const std::int64_t rows = x.shape()[0];
  const std::int64_t columns = x.shape()[1];
  const std::int64_t row_stride = x.strides()[0];
  const std::int64_t column_stride = x.strides()[1];
  if ((column_stride == 1 || columns == 1) && (row_stride >= columns || rows == 1)) {
    return {x, false, std::max<std::int64_t>(rows == 1 ? columns : row_stride, 1)};
  }
  if ((row_stride == 1 || rows == 1) && (column_stride >= rows || columns == 1)) {
    return {x, true, std::max<std::int64_t>(columns == 1 ? rows : column_stride, 1)};
  }
  const Tensor packed = Tensor::empty(x.shape(), x.dtype());
  copy(packed, x);
  return {packed, false, std::max<std::int64_t>(columns, 1)};
}

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
  const Matrix left = as_matrix(a);
  const Matrix right = as_matrix(b);
  visit_floating(out.dtype(), [&]<class T>() {
    gemm(left.transposed, right.transposed, m, n, k, left.tensor.data<T>(), left.leading, right.tensor.data<T>(),
         right.leading, accumulate ? T{1} : T{0}, out.data<T>(), n);
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
