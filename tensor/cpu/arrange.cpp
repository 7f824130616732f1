// Filling by position, and triangles of matrices.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/strided_loop.hpp"

namespace feral::cpu {

void triangle(const Tensor& out, const Tensor& x, std::int64_t diagonal, bool upper) {
  copy(out, x);
  if (out.numel() == 0) return;
  const std::int64_t rows = out.shape()[out.dims() - 2];
  const std::int64_t columns = out.shape()[out.dims() - 1];
  const std::size_t size = size_of(out.dtype());
  // Beyond the matrix all diagonals are alike; cut so that row + diagonal cannot overflow.
  const std::int64_t shift = std::clamp(diagonal, -rows - 1, columns + 1);
  std::byte* row = out.raw_data();
  for (std::int64_t i = 0; i < out.numel() / columns; ++i, row += static_cast<std::size_t>(columns) * size) {
    const std::int64_t border = i % rows + shift;  // the column on the diagonal
    const std::int64_t first = upper ? 0 : std::clamp<std::int64_t>(border + 1, 0, columns);
    const std::int64_t last = upper ? std::clamp<std::int64_t>(border, 0, columns) : columns;
    std::memset(row + static_cast<std::size_t>(first) * size, 0, static_cast<std::size_t>(last - first) * size);
  }
}

void one_hot(const Tensor& out, const Tensor& x) {
  fill(out, 0);
  if (out.numel() == 0) return;
  const std::int64_t classes = out.shape()[out.dims() - 1];
  std::int64_t* to = out.data<std::int64_t>();
  visit_dtype(x.dtype(), [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      StridedLoop<1>({&x}).for_each_row([&](const auto& offsets, std::int64_t n, const auto& strides) {
        const T* from = reinterpret_cast<const T*>(x.raw_data()) + offsets[0];
        for (std::int64_t i = 0; i < n; ++i, to += classes) to[from[i * strides[0]]] = 1;
      });
    }
  });
}

void arange(const Tensor& out, Scalar start, Scalar step) {
  visit_dtype(out.dtype(), [&]<class T>() {
    T* to = reinterpret_cast<T*>(out.raw_data());
    const std::int64_t n = out.numel();
    if constexpr (std::is_integral_v<T>) {
      const auto whole = [](Scalar number) {
        return static_cast<std::uint64_t>(number.floating ? static_cast<std::int64_t>(number.value)
                                                          : number.integer);
      };
      std::uint64_t value = whole(start);
      const std::uint64_t increment = whole(step);
      for (std::int64_t i = 0; i < n; ++i, value += increment) to[i] = static_cast<T>(value);
    } else {
      for (std::int64_t i = 0; i < n; ++i)
        to[i] = static_cast<T>(start.value + step.value * static_cast<double>(i));
    }
  });
}

void linspace(const Tensor& out, double start, double end) {
  visit_dtype(out.dtype(), [&]<class T>() {
    T* to = reinterpret_cast<T*>(out.raw_data());
    const std::int64_t n = out.numel();
    // From the nearer end on, so that both ends are exact; halved first, as end - start may overflow.
    const double step = n > 1 ? (end / 2 - start / 2) / static_cast<double>(n - 1) * 2 : 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double value =
          i < (n + 1) / 2 ? start + step * static_cast<double>(i) : end - step * static_cast<double>(n - 1 - i);
      to[i] = static_cast<T>(value);
    }
  });
}

}  // namespace feral::cpu
