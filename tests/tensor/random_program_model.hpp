// A model of tensors for random programs that knows no strides: a storage is a list of numbers, a view is a shape
// and, for each position in row-major order, the place of its element in the storage, written out one by one.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "tensor/dtype.hpp"

namespace feral::testing_support {

// Holds every float, double and 64-bit integer.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);
using Sizes = std::vector<std::int64_t>;

struct ModelStorage {
  DType dtype;
  std::vector<Number> elements;
};

struct ModelView {
  std::shared_ptr<ModelStorage> storage;
  Sizes shape;
  Sizes places;
};

inline std::int64_t count_of(const Sizes& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

// Index -> position in row-major order.
inline std::int64_t position_of(const Sizes& shape, const Sizes& index) {
  std::int64_t position = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) position = position * shape[d] + index[d];
  return position;
}

// Calls visit(index) for every index of `shape`, in row-major order.
template <class Visit>
void for_each_index(const Sizes& shape, const Visit& visit) {
  const std::int64_t count = count_of(shape);
  Sizes index(shape.size());
  for (std::int64_t i = 0; i < count; ++i) {
    visit(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

// The view of `shape` whose element at an index is the element of `of` at from(index).
template <class From>
ModelView viewed(const ModelView& of, const Sizes& shape, const From& from) {
  ModelView view{of.storage, shape, {}};
  for_each_index(shape, [&](const Sizes& index) {
    view.places.push_back(of.places[static_cast<std::size_t>(position_of(of.shape, from(index)))]);
  });
  return view;
}

inline ModelView reshaped(const ModelView& of, const Sizes& shape) { return {of.storage, shape, of.places}; }

inline bool overlaps_itself(const ModelView& view) {
  return std::set<std::int64_t>(view.places.begin(), view.places.end()).size() != view.places.size();
}

// Whether steps along each dimension of `shape` are the same everywhere: whether strides could describe it.
inline bool is_regular(const Sizes& shape, const Sizes& places) {
  Sizes steps(shape.size());
  bool regular = true;
  for_each_index(shape, [&](const Sizes& index) {
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (index[d] == 0) continue;
      Sizes before = index;
      --before[d];
      const std::int64_t step = places[static_cast<std::size_t>(position_of(shape, index))] -
                                places[static_cast<std::size_t>(position_of(shape, before))];
      if (index[d] == 1 && position_of(shape, before) == 0) steps[d] = step;
      regular = regular && step == steps[d];
    }
  });
  return regular;
}

__extension__ typedef __int128 Wide;  // holds every product of two 64-bit integers

// The value of the `bits`-bit two's complement number with the low bits of `x`.
inline Wide wrapped(Wide x, int bits, bool is_signed) {
  const Wide range = static_cast<Wide>(1) << bits;
  x %= range;
  if (x < 0) x += range;
  return is_signed && x >= range / 2 ? x - range : x;
}

// What an element of `dtype` makes of a number. A float is converted to an integer only from within its range.
inline Number stored(DType dtype, Number x) {
  switch (dtype) {
    case DType::float32:
      return static_cast<float>(x);
    case DType::float64:
      return static_cast<double>(x);
    case DType::boolean:
      return x != 0;
    default:
      const int bits = static_cast<int>(size_of(dtype)) * 8;
      return static_cast<Number>(wrapped(static_cast<Wide>(x), bits, dtype != DType::uint8));
  }
}

enum class ModelOp { add, sub, mul, maximum, minimum, div, bitwise_and, bitwise_or, bitwise_xor };

template <class T>
T float_result(ModelOp op, T a, T b) {
  switch (op) {
    default:
      break;
    case ModelOp::add:
      return a + b;
    case ModelOp::sub:
      return a - b;
    case ModelOp::mul:
      return a * b;
    case ModelOp::div:
      return a / b;
    case ModelOp::maximum:
      return std::isnan(a) || std::isnan(b) ? std::numeric_limits<T>::quiet_NaN() : a > b ? a : b;
    case ModelOp::minimum:
      return std::isnan(a) || std::isnan(b) ? std::numeric_limits<T>::quiet_NaN() : a < b ? a : b;
  }
  return 0;
}

// In `type`, which both numbers are of.
inline Number result_of(ModelOp op, DType type, Number a, Number b) {
  if (type == DType::float32) return float_result(op, static_cast<float>(a), static_cast<float>(b));
  if (type == DType::float64) return float_result(op, static_cast<double>(a), static_cast<double>(b));
  const auto x = static_cast<Wide>(a);
  const auto y = static_cast<Wide>(b);
  if (op == ModelOp::bitwise_and) return static_cast<Number>(x & y);
  if (op == ModelOp::bitwise_or) return static_cast<Number>(x | y);
  if (op == ModelOp::bitwise_xor) return static_cast<Number>(x ^ y);
  if (type == DType::boolean) {
    if (op == ModelOp::add || op == ModelOp::maximum) return x != 0 || y != 0;
    return x != 0 && y != 0;  // mul, minimum
  }
  const auto cut = [&](Wide exact) {
    return static_cast<Number>(wrapped(exact, static_cast<int>(size_of(type)) * 8, type != DType::uint8));
  };
  switch (op) {
    case ModelOp::add:
      return cut(x + y);
    case ModelOp::sub:
      return cut(x - y);
    case ModelOp::mul:
      return cut(x * y);
    case ModelOp::maximum:
      return static_cast<Number>(x > y ? x : y);
    default:
      return static_cast<Number>(x < y ? x : y);
  }
}

}  // namespace feral::testing_support
