// Tensors in every layout that a kernel may meet, and element access that shares no code with the kernels.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.hpp"
#include "tensor/kernels.hpp"
#include "tensor/tensor.hpp"

namespace feral::testing_support {

// Around the vector lengths of all instruction sets, and what lies between.
inline constexpr std::int64_t sweep_sizes[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65};

enum class Layout { contiguous, transposed, stepped, transposed_stepped, broadcast_rows, broadcast_columns };
inline constexpr Layout all_layouts[] = {Layout::contiguous,     Layout::transposed,
                                         Layout::stepped,        Layout::transposed_stepped,
                                         Layout::broadcast_rows, Layout::broadcast_columns};

inline const Kernels& cpu_kernels() { return kernels(Device::cpu); }

// Numbers in [low, high) that depend on the call's place in the test alone.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : engine_(seed) {}

  double next(double low = -1, double high = 1) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1.0p-53;
  }

  template <class T>
  Tensor tensor(const Shape& shape, double low = -1, double high = 1) {
    std::vector<T> values(static_cast<std::size_t>(shape.numel()));
    for (auto&& value : values) value = static_cast<T>(next(low, high));
    return Tensor::from_vector(values, shape);
  }

  // [rows, columns] with the strides of `layout`.
  template <class T>
  Tensor matrix(std::int64_t rows, std::int64_t columns, Layout layout, double low = -1, double high = 1) {
    switch (layout) {
      case Layout::contiguous:
        return tensor<T>({rows, columns}, low, high);
      case Layout::transposed:
        return tensor<T>({columns, rows}, low, high).transpose(0, 1);
      case Layout::stepped:
        return tensor<T>({rows + 2, columns + 3}, low, high).narrow(0, 1, rows).narrow(1, 2, columns);
      case Layout::transposed_stepped:
        return tensor<T>({columns + 2, rows + 3}, low, high)
            .narrow(0, 1, columns)
            .narrow(1, 2, rows)
            .transpose(0, 1);
      case Layout::broadcast_rows:
        return tensor<T>({1, columns}, low, high).expand({rows, columns});
      case Layout::broadcast_columns:
        return tensor<T>({rows, 1}, low, high).expand({rows, columns});
    }
    throw Error("no such layout");
  }

 private:
  std::mt19937_64 engine_;
};

// Element [i, j] of a matrix, read through its strides.
template <class T>
T& at(const Tensor& matrix, std::int64_t i, std::int64_t j) {
  return matrix.data<T>()[i * matrix.strides()[0] + j * matrix.strides()[1]];
}

// Element [n, c, y, x] of a contiguous tensor.
template <class T>
T& at(const Tensor& x, std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t column) {
  const Shape& s = x.shape();
  return x.data<T>()[((n * s[1] + c) * s[2] + y) * s[3] + column];
}

// How many representable numbers lie between a and b; equal NaNs count as 0, a NaN against a number as very far.
template <class T>
std::uint64_t ulps_between(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : ~std::uint64_t{0};
  using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const auto ordered = [](T value) {
    const auto bits = std::bit_cast<Bits>(value);
    return static_cast<std::int64_t>(bits < 0 ? std::numeric_limits<Bits>::min() - bits : bits);
  };
  const std::int64_t x = ordered(a);
  const std::int64_t y = ordered(b);
  return x > y ? static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y)
               : static_cast<std::uint64_t>(y) - static_cast<std::uint64_t>(x);
}

// The message of the feral::Error that `function` throws; "" when it throws none.
template <class Function>
std::string error_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace feral::testing_support
