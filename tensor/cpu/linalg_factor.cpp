// Decompositions. LAPACK reads a row-major matrix A [m, n] as Aᵀ [n, m] column by column, so that each kernel asks
// for the decomposition of Aᵀ whose parts, read row by row again, are A's. Nothing is transposed but eigenvectors
// and the systems of least_squares.
#include <algorithm>
#include <utility>

#include "tensor/cpu/blas.hpp"
#include "tensor/cpu/lapack.hpp"
#include "tensor/cpu/matrices.hpp"

namespace feral::cpu {
namespace {

constexpr LinalgStatus not_finite(std::int64_t matrix) { return {LinalgStatus::Kind::not_finite, matrix}; }
constexpr LinalgStatus no_convergence(std::int64_t matrix) { return {LinalgStatus::Kind::no_convergence, matrix}; }

}  // namespace

// A = L × Lᵀ: what LAPACK sees as the upper triangle U of Aᵀ with Uᵀ × U is our lower triangle L.
LinalgStatus cholesky(const Tensor& out, const Tensor& a) {
  copy(out, a);
  const int n = blas_int(rows_of(a));
  LinalgStatus status;
  visit_floating(out.dtype(), [&]<class T>() {
    T* matrix = out.data<T>();
    for (std::int64_t i = 0, count = batch_count(out, 2); i < count; ++i, matrix += std::int64_t{n} * n) {
      if (n == 0) return;
      if (!lower_is_finite(matrix, n)) {
        status = not_finite(i);
        return;
      }
      if (const int info = lapack::potrf('U', n, matrix, n); info != 0) {
        status = {LinalgStatus::Kind::not_positive_definite, i, info};
        return;
      }
      for (std::int64_t row = 0; row < n; ++row)
        std::fill(matrix + row * n + row + 1, matrix + (row + 1) * n, T{0});
    }
  });
  return status;
}

// Aᵀ = L × P with orthonormal rows in P gives A = Pᵀ × Lᵀ: Q = Pᵀ and R = Lᵀ, which row by row are P and L.
void qr(const Tensor& q, const Tensor& r, const Tensor& a) {
  const int m = blas_int(rows_of(a));
  const int n = blas_int(columns_of(a));
  const int k = std::min(m, n);
  const Tensor decomposed = overwritable(a);
  if (k == 0) return;
  visit_floating(a.dtype(), [&]<class T>() {
    const std::int64_t size = std::int64_t{m} * n;
    const WorkArray<T> tau(k);
    T answers[2] = {1, 1};
    T* matrix = decomposed.data<T>();
    lapack::gelqf(n, m, matrix, n, tau.get(), &answers[0], -1);
    lapack::orglq(k, m, k, matrix, n, tau.get(), &answers[1], -1);
    const int bytes = std::max(work_size(answers[0]), work_size(answers[1]));
    const WorkArray<T> work(bytes);
    for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i, matrix += size) {
      T* q_here = q.data<T>() + i * m * k;
      T* r_here = r.data<T>() + i * k * n;
      if (!all_finite(matrix, size)) {
        std::fill_n(q_here, std::int64_t{m} * k, std::numeric_limits<T>::quiet_NaN());
        std::fill_n(r_here, std::int64_t{k} * n, std::numeric_limits<T>::quiet_NaN());
        continue;
      }
      lapack::gelqf(n, m, matrix, n, tau.get(), work.get(), bytes);
      for (std::int64_t row = 0; row < k; ++row) {
        std::fill_n(r_here + row * n, row, T{0});
        std::copy(matrix + row * n + row, matrix + (row + 1) * n, r_here + row * n + row);
      }
      lapack::orglq(k, m, k, matrix, n, tau.get(), work.get(), bytes);
      for (std::int64_t row = 0; row < m; ++row) std::copy_n(matrix + row * n, k, q_here + row * k);
    }
  });
}

// Aᵀ = V × diag(s) × Uᵀ: LAPACK's left factor, row by row, is Vᵀ, and its right one U.
LinalgStatus svd(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& a) {
  const int m = blas_int(rows_of(a));
  const int n = blas_int(columns_of(a));
  const int k = std::min(m, n);
  if (k == 0) return {};
  const Tensor overwritten = overwritable(a);
  LinalgStatus status;
  visit_floating(a.dtype(), [&]<class T>() {
    const std::int64_t size = std::int64_t{m} * n;
    const WorkArray<int> int_work(std::int64_t{8} * k);
    T* matrix = overwritten.data<T>();
    T* left = u.data<T>();
    T* values = s.data<T>();
    T* right = vh.data<T>();
    T answer = 1;
    lapack::gesdd('S', n, m, matrix, n, values, right, n, left, k, &answer, -1, int_work.get());
    const int bytes = work_size(answer);
    const WorkArray<T> work(bytes);
    for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i) {
      if (!all_finite(matrix, size)) {
        status = not_finite(i);
        return;
      }
      if (lapack::gesdd('S', n, m, matrix, n, values, right, n, left, k, work.get(), bytes, int_work.get()) != 0) {
        status = no_convergence(i);
        return;
      }
      matrix += size;
      left += std::int64_t{m} * k;
      values += k;
      right += std::int64_t{k} * n;
    }
  });
  return status;
}

// The lower triangle of A is what LAPACK sees as the upper one. It leaves eigenvectors as columns, our rows.
LinalgStatus eigh(const Tensor& values, const Tensor& vectors, const Tensor& a) {
  copy(vectors, a);
  const int n = blas_int(rows_of(a));
  if (n == 0) return {};
  LinalgStatus status;
  visit_floating(a.dtype(), [&]<class T>() {
    T* matrix = vectors.data<T>();
    T* w = values.data<T>();
    T answer = 1;
    int int_answer = 1;
    lapack::syevd('V', 'U', n, matrix, n, w, &answer, -1, &int_answer, -1);
    const int size = work_size(answer);
    const WorkArray<T> work(size);
    const WorkArray<int> int_work(int_answer);
    for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i, matrix += std::int64_t{n} * n, w += n) {
      if (!lower_is_finite(matrix, n)) {
        status = not_finite(i);
        return;
      }
      if (lapack::syevd('V', 'U', n, matrix, n, w, work.get(), size, int_work.get(), int_answer) != 0) {
        status = no_convergence(i);
        return;
      }
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t column = 0; column < row; ++column) {
          std::swap(matrix[row * n + column], matrix[column * n + row]);
        }
      }
    }
  });
  return status;
}

LinalgStatus least_squares(const Tensor& out, const Tensor& a, const Tensor& b, double cutoff) {
  const int m = blas_int(rows_of(a));
  const int n = blas_int(columns_of(a));
  const int columns = blas_int(columns_of(b));
  if (out.numel() == 0) return {};
  if (m == 0) {
    fill(out, 0);
    return {};
  }
  const int k = std::min(m, n);
  const int rows = std::max(m, n);
  const Tensor left = overwritable_columns(a);
  const Tensor right = overwritable_columns(b);
  LinalgStatus status;
  visit_floating(out.dtype(), [&]<class T>() {
    const WorkArray<T> x(std::int64_t{rows} * columns);  // b's columns, then the solution's
    const WorkArray<T> s(k);
    T* matrix = left.data<T>();
    const T* from = right.data<T>();
    T* to = out.data<T>();
    T answer = 1;
    int int_answer = 1;
    int rank = 0;
    lapack::gelsd(m, n, columns, matrix, m, x.get(), rows, s.get(), static_cast<T>(cutoff), &rank, &answer, -1,
                  &int_answer);
    const int size = work_size(answer);
    const WorkArray<T> work(size);
    const WorkArray<int> int_work(int_answer);
    for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i) {
      if (!all_finite(matrix, std::int64_t{m} * n) || !all_finite(from, std::int64_t{m} * columns)) {
        std::fill_n(to, std::int64_t{n} * columns, std::numeric_limits<T>::quiet_NaN());
      } else {
        for (std::int64_t c = 0; c < columns; ++c) std::copy_n(from + c * m, m, x.get() + c * rows);
        if (lapack::gelsd(m, n, columns, matrix, m, x.get(), rows, s.get(), static_cast<T>(cutoff), &rank,
                          work.get(), size, int_work.get()) != 0) {
          status = no_convergence(i);
          return;
        }
        for (std::int64_t row = 0; row < n; ++row) {
          for (std::int64_t c = 0; c < columns; ++c) to[row * columns + c] = x.get()[c * rows + row];
        }
      }
      matrix += std::int64_t{m} * n;
      from += std::int64_t{m} * columns;
      to += std::int64_t{n} * columns;
    }
  });
  return status;
}

// V × diag(1 / s) × Uᵀ, with 0 for the singular values that count as 0.
LinalgStatus pseudo_inverse(const Tensor& out, const Tensor& a, double cutoff) {
  const std::int64_t m = rows_of(a);
  const std::int64_t n = columns_of(a);
  const std::int64_t k = std::min(m, n);
  if (out.numel() == 0) return {};
  Shape shape = a.shape();
  shape[a.dims() - 1] = k;
  const Tensor u = Tensor::empty(shape, a.dtype());
  shape[a.dims() - 2] = 1;
  const Tensor s = Tensor::empty(shape, a.dtype());
  shape[a.dims() - 2] = k;
  shape[a.dims() - 1] = n;
  const Tensor vh = Tensor::empty(shape, a.dtype());
  const LinalgStatus status = svd(u, s, vh, a);
  if (status.kind != LinalgStatus::Kind::done) return status;
  visit_floating(out.dtype(), [&]<class T>() {
    for (std::int64_t i = 0, count = batch_count(a, 2); i < count; ++i) {
      const T* values = s.data<T>() + i * k;
      T* right = vh.data<T>() + i * k * n;
      const T smallest = static_cast<T>(cutoff) * values[0];
      for (std::int64_t j = 0; j < k; ++j) {
        const T factor = values[j] > smallest ? 1 / values[j] : T{0};
        for (std::int64_t c = 0; c < n; ++c) right[j * n + c] *= factor;
      }
      gemm(true, true, n, m, k, right, n, u.data<T>() + i * m * k, k, T{0}, out.data<T>() + i * n * m, m);
    }
  });
  return {};
}

}  // namespace feral::cpu
