// Tensors of any type and layout, read element by element: what tests of ops that move elements compare with.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/tensor/operands.hpp"

namespace feral::testing_support {

inline constexpr DType all_dtypes[] = {DType::float32, DType::float64, DType::int32, DType::int64,
                                       DType::uint8,   DType::int8,    DType::int16, DType::boolean,
                                       DType::float16, DType::bfloat16};

// Small whole numbers, which every type but bool holds exactly.
inline Tensor small_matrix(DType dtype, std::int64_t rows, std::int64_t columns, Layout layout) {
  Numbers drawn(static_cast<std::uint64_t>(17 * rows + columns));
  return visit_dtype(dtype, [&]<class T>() {
    Tensor x = drawn.matrix<T>(rows, columns, layout, 0, 100);
    T* all = reinterpret_cast<T*>(x.impl()->storage->data);
    for (std::size_t i = 0; i < x.impl()->storage->bytes / sizeof(T); ++i) {
      all[i] = static_cast<T>(std::floor(static_cast<double>(all[i])));
    }
    return x;
  });
}

// An element's index, one number a dimension.
using Position = std::vector<std::int64_t>;

// Element at `position`, read through the strides.
inline double element(const Tensor& x, const Position& position) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < position.size(); ++i) offset += position[i] * x.strides()[static_cast<int>(i)];
  return visit_dtype(
      x.dtype(), [&]<class T>() { return static_cast<double>(reinterpret_cast<const T*>(x.raw_data())[offset]); });
}

// Calls each(position) for all positions of a shape, in row-major order.
inline void for_each_position(const Shape& shape, const std::function<void(const Position&)>& each) {
  if (shape.numel() == 0) return;
  Position position(static_cast<std::size_t>(shape.dims()), 0);
  for (;;) {
    each(position);
    int dim = shape.dims() - 1;
    for (; dim >= 0; --dim) {
      if (++position[static_cast<std::size_t>(dim)] < shape[dim]) break;
      position[static_cast<std::size_t>(dim)] = 0;
    }
    if (dim < 0) return;
  }
}

// That x has `shape`, `dtype` and the elements that `expected` tells.
inline void expect_elements(const Tensor& x, const Shape& shape, DType dtype,
                            const std::function<double(const Position&)>& expected) {
  ASSERT_EQ(x.shape().to_string(), shape.to_string());
  ASSERT_EQ(x.dtype(), dtype);
  for_each_position(shape, [&](const Position& position) {
    const double is = element(x, position);
    const double want = expected(position);
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(is)) << is << " at " << ::testing::PrintToString(position);
    } else {
      ASSERT_EQ(is, want) << "at " << ::testing::PrintToString(position);
    }
  });
}

template <class T>
void expect_vector(const Tensor& x, const Shape& shape, const std::vector<T>& expected) {
  ASSERT_EQ(x.shape().to_string(), shape.to_string());
  ASSERT_EQ(x.dtype(), dtype_of<T>);
  EXPECT_EQ(x.to_vector<T>(), expected);
}

}  // namespace feral::testing_support
