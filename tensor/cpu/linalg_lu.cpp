// What follows from the LU decomposition. LAPACK reads a row-major matrix A as Aᵀ: getrf decomposes Aᵀ, which has
// A's determinant, whose inverse read back is A's, and whose transposed system is A's.
#include <algorithm>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/lapack.hpp"
#include "tensor/cpu/matrices.hpp"
#include "tensor/view_of.hpp"

namespace feral::cpu {
namespace {

constexpr LinalgStatus singular(std::int64_t matrix, int info) {
  return {LinalgStatus::Kind::singular, matrix, info - 1};
}

// Calls function(i, lu, pivots, info) for each matrix of the contiguous `a` [..., n, n], decomposed in place; for
// one that is not finite, info is -1 and it is left as it was. Stops when the function returns false.
template <class T, class Function>
void for_each_lu(const Tensor& a, Function&& function) {
  const int n = blas_int(rows_of(a));
  const std::int64_t size = std::int64_t{n} * n;
  const WorkArray<int> pivots(n);
  T* matrix = a.data<T>();
  for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i, matrix += size) {
    const int info = !all_finite(matrix, size) ? -1 : n == 0 ? 0 : lapack::getrf(n, n, matrix, n, pivots.get());
    if (!function(i, matrix, pivots.get(), info)) return;
  }
}

// Whether the permutation that the pivots stand for is odd.
bool is_odd(const int* pivots, int n) {
  bool odd = false;
  for (int i = 0; i < n; ++i) odd ^= pivots[i] != i + 1;
  return odd;
}

template <class T>
T determinant_of(const T* lu, const int* pivots, int n) {
  T product = is_odd(pivots, n) ? T{-1} : T{1};
  for (std::int64_t i = 0; i < n; ++i) product *= lu[i * n + i];
  return product;
}

}  // namespace

Tensor overwritable_columns(const Tensor& x) {
  Shape shape = x.shape();
  std::swap(shape[x.dims() - 2], shape[x.dims() - 1]);
  const Tensor result = Tensor::empty(shape, x.dtype());
  // Written through a view with x's shape, so that the copy's inner loop follows x.
  Shape strides = result.strides();
  std::swap(strides[x.dims() - 2], strides[x.dims() - 1]);
  copy(view_of(result, x.shape(), strides), x);
  return result;
}

LinalgStatus solve(const Tensor& out, const Tensor& a, const Tensor& b) {
  const int n = blas_int(rows_of(a));
  const int columns = blas_int(columns_of(b));
  if (out.numel() == 0 && batch_count(a, 2) == 0) return {};
  const Tensor lu = overwritable(a);
  // Right sides as LAPACK wants them, column by column; a single one is that already.
  const bool single = columns == 1;
  if (single) copy(out, b);
  const Tensor x = single ? out : overwritable_columns(b);
  LinalgStatus status;
  visit_floating(out.dtype(), [&]<class T>() {
    const std::int64_t size = std::int64_t{n} * columns;
    for_each_lu<T>(lu, [&](std::int64_t i, const T* matrix, const int* pivots, int info) {
      T* columns_of_x = x.data<T>() + i * size;
      if (info > 0) {
        status = singular(i, info);
        return false;
      }
      if (info < 0) {
        std::fill_n(columns_of_x, size, std::numeric_limits<T>::quiet_NaN());
      } else if (size > 0) {
        lapack::getrs('T', n, columns, matrix, n, pivots, columns_of_x, n);
      }
      return true;
    });
    if (single || status.kind != LinalgStatus::Kind::done) return;
    const T* from = x.data<T>();
    T* to = out.data<T>();
    for (std::int64_t i = 0, count = batch_count(out, 2); i < count; ++i, from += size, to += size) {
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          to[row * columns + column] = from[column * n + row];
        }
      }
    }
  });
  return status;
}

LinalgStatus inverse(const Tensor& out, const Tensor& a) {
  copy(out, a);
  LinalgStatus status;
  const int n = blas_int(rows_of(a));
  visit_floating(out.dtype(), [&]<class T>() {
    T answer = 1;
    if (n > 0) lapack::getri(n, out.data<T>(), n, nullptr, &answer, -1);
    const int size = work_size(answer);
    const WorkArray<T> work(size);
    for_each_lu<T>(out, [&](std::int64_t i, T* matrix, const int* pivots, int info) {
      if (info > 0) {
        status = singular(i, info);
        return false;
      }
      if (info < 0) {
        std::fill_n(matrix, std::int64_t{n} * n, std::numeric_limits<T>::quiet_NaN());
      } else if (n > 0) {
        lapack::getri(n, matrix, n, pivots, work.get(), size);
      }
      return true;
    });
  });
  return status;
}

void determinant(const Tensor& out, const Tensor& a) {
  const int n = blas_int(rows_of(a));
  visit_floating(out.dtype(), [&]<class T>() {
    for_each_lu<T>(overwritable(a), [&](std::int64_t i, const T* lu, const int* pivots, int info) {
      out.data<T>()[i] = info < 0 ? std::numeric_limits<T>::quiet_NaN() : determinant_of(lu, pivots, n);
      return true;
    });
  });
}

void log_determinant(const Tensor& sign, const Tensor& log, const Tensor& a) {
  const int n = blas_int(rows_of(a));
  visit_floating(sign.dtype(), [&]<class T>() {
    for_each_lu<T>(overwritable(a), [&](std::int64_t i, const T* lu, const int* pivots, int info) {
      T& sign_here = sign.data<T>()[i];
      T& log_here = log.data<T>()[i];
      if (info != 0) {  // not finite, or a pivot of 0
        sign_here = 0;
        log_here = info < 0 ? std::numeric_limits<T>::quiet_NaN() : -std::numeric_limits<T>::infinity();
        return true;
      }
      bool negative = is_odd(pivots, n);
      T sum = 0;
      for (std::int64_t row = 0; row < n; ++row) {
        const T pivot = lu[row * n + row];
        negative ^= pivot < 0;
        sum += std::log(std::abs(pivot));
      }
      sign_here = negative ? T{-1} : T{1};
      log_here = sum;
      return true;
    });
  });
}

// With A = U × diag(s) × Vᵀ the cofactors are det(U) det(V) × U × diag(products of the other s) × Vᵀ.
LinalgStatus cofactors(const Tensor& out, const Tensor& a) {
  const std::int64_t n = rows_of(a);
  if (out.numel() == 0) return {};
  Shape vector = a.shape();
  vector[a.dims() - 2] = 1;
  const Tensor u = Tensor::empty(a.shape(), a.dtype());
  const Tensor s = Tensor::empty(vector, a.dtype());
  const Tensor vh = Tensor::empty(a.shape(), a.dtype());
  const LinalgStatus status = svd(u, s, vh, a);
  if (status.kind != LinalgStatus::Kind::done) return status;
  visit_floating(out.dtype(), [&]<class T>() {
    const std::int64_t count = batch_count(a, 2);
    const WorkArray<T> signs(count);
    const WorkArray<T> others(n);
    for_each_lu<T>(overwritable(u), [&](std::int64_t i, const T* lu, const int* pivots, int) {
      signs.get()[i] = determinant_of(lu, pivots, static_cast<int>(n));
      return true;
    });
    for_each_lu<T>(overwritable(vh), [&](std::int64_t i, const T* lu, const int* pivots, int) {
      signs.get()[i] *= determinant_of(lu, pivots, static_cast<int>(n));
      return true;
    });
    for (std::int64_t i = 0; i < count; ++i) {
      const T* values = s.data<T>() + i * n;
      T* left = u.data<T>() + i * n * n;
      T before = std::round(signs.get()[i]);  // ±1
      for (std::int64_t j = 0; j < n; ++j) {
        others.get()[j] = before;
        before *= values[j];
      }
      T after = 1;
      for (std::int64_t j = n; j-- > 0;) {
        others.get()[j] *= after;
        after *= values[j];
      }
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t j = 0; j < n; ++j) left[row * n + j] *= others.get()[j];
      }
      gemm(false, false, n, n, n, left, n, vh.data<T>() + i * n * n, n, T{0}, out.data<T>() + i * n * n, n);
    }
  });
  return {};
}

}  // namespace feral::cpu
