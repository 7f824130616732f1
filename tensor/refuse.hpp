// What methods that write into a tensor refuse. Each throws feral::Error naming `op`.
#pragma once

#include <string_view>

#include "core/fail.hpp"
#include "tensor/tensor.hpp"

namespace feral {

inline void refuse_undefined(std::string_view op, const Tensor& tensor) {
  if (!tensor.defined()) fail("{}: the tensor is undefined", op);
}

inline void refuse_recorded(std::string_view op, const Tensor& tensor) {
  refuse_undefined(op, tensor);
  if (tensor.impl()->producer != nullptr) {
    fail("{}: cannot write in place into a tensor that a recorded op made; use detach() or clone()", op);
  }
}

}  // namespace feral
