// Checks that shape and type rules share. Each throws feral::Error naming the op and what disagrees.
#pragma once

#include <string_view>

#include "core/fail.hpp"
#include "tensor/tensor.hpp"

namespace feral::ops {

inline void check_defined(std::string_view op, const Tensor& tensor) {
  if (!tensor.defined()) fail("{}: an input is undefined", op);
}

inline void check_floating(std::string_view op, const Tensor& tensor) {
  check_defined(op, tensor);
  if (!has_gradient(tensor.dtype())) {
    fail("{}: expected float32 or float64, got {}; convert with to()", op, name_of(tensor.dtype()));
  }
}

inline void check_same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  check_defined(op, a);
  check_defined(op, b);
  if (a.dtype() != b.dtype()) {
    fail("{}: types {} and {} differ; convert one with to()", op, name_of(a.dtype()), name_of(b.dtype()));
  }
}

inline void check_dims(std::string_view op, std::string_view what, const Tensor& tensor, int dims) {
  check_defined(op, tensor);
  if (tensor.dims() != dims) {
    fail("{}: {} must have {} dimensions, got shape {}", op, what, dims, tensor.shape().to_string());
  }
}

}  // namespace feral::ops
