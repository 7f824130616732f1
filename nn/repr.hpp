// Numbers as Python prints them, for Module::extra_repr.
#pragma once

#include <string>

#include "tensor/per_dim.hpp"
#include "tensor/shape.hpp"

namespace feral::nn {

inline std::string repr_of(bool value) { return value ? "True" : "False"; }
std::string repr_of(double value);         // 1 → "1.0"
std::string repr_of(const Shape& values);  // a tuple: "(3,)", "(2, 3)"

template <int dims>
std::string tuple_of(const PerDim<dims>& values) {
  Shape shape;
  for (int i = 0; i < dims; ++i) shape.push_back(values[i]);
  return repr_of(shape);
}

// One number when all are the same.
template <int dims>
std::string repr_of(const PerDim<dims>& values) {
  for (int i = 1; i < dims; ++i) {
    if (values[i] != values[0]) return tuple_of(values);
  }
  return std::to_string(values[0]);
}

}  // namespace feral::nn
