// What kernels that work matrix by matrix share.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {

// How many matrices (trailing = 2) or vectors (1) a tensor holds.
inline std::int64_t batch_count(const Tensor& x, int trailing) {
  std::int64_t count = 1;
  for (int i = 0; i < x.dims() - trailing; ++i) count *= x.shape()[i];
  return count;
}

inline std::int64_t rows_of(const Tensor& x) { return x.shape()[x.dims() - 2]; }
inline std::int64_t columns_of(const Tensor& x) { return x.shape()[x.dims() - 1]; }

// A contiguous copy that a kernel may overwrite.
inline Tensor overwritable(const Tensor& x) {
  const Tensor result = Tensor::empty(x.shape(), x.dtype());
  copy(result, x);
  return result;
}

// The same matrices transposed: contiguous [..., columns, rows], which LAPACK reads as x itself.
Tensor overwritable_columns(const Tensor& x);

template <class T>
bool all_finite(const T* x, std::int64_t n) {
  bool finite = true;
  for (std::int64_t i = 0; i < n; ++i) finite &= std::abs(x[i]) <= std::numeric_limits<T>::max();
  return finite;
}

// Of the elements on and below the diagonal.
template <class T>
bool lower_is_finite(const T* x, std::int64_t n) {
  bool finite = true;
  for (std::int64_t i = 0; i < n; ++i) finite &= all_finite(x + i * n, i + 1);
  return finite;
}

template <class T>
class WorkArray {
 public:
  explicit WorkArray(std::int64_t count)
      : workspace_(static_cast<std::size_t>(count > 0 ? count : 1) * sizeof(T)) {}
  T* get() const { return reinterpret_cast<T*>(workspace_.get()); }

 private:
  Workspace workspace_;
};

// LAPACK's answer to a question for the size of its workspace: a float may have been rounded down.
template <class T>
int work_size(T answer) {
  return static_cast<int>(std::ceil(answer * (1 + 2 * std::numeric_limits<T>::epsilon())));
}

}  // namespace feral::cpu
