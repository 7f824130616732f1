// What forms in place share: the rules of what may be written where. They are no ops: nothing is recorded.
#pragma once

#include <string_view>

#include "autograd/grad_mode.hpp"
#include "autograd/ops/check.hpp"
#include "tensor/in_place.hpp"

namespace feral::ops {

// Throws feral::Error naming `op` when gradients are enabled and `tensor` requires one.
inline void check_not_recorded(std::string_view op, const Tensor& tensor) {
  if (GradMode::enabled() && tensor.requires_grad()) {
    fail(
        "{}: not recorded, and a tensor of shape {} requires a gradient; use the form without the underscore, "
        "detach() or NoGradGuard",
        op, tensor.shape().to_string());
  }
}

// May be written into; else throws feral::Error naming `op`.
inline void check_in_place(std::string_view op, const Tensor& target) {
  check_target(op, target);
  check_not_recorded(op, target);
}

// A defined operand that broadcasts to the shape of `target`, which it leaves as it is.
inline void check_operand(std::string_view op, const Tensor& target, const Tensor& operand) {
  check_defined(op, operand);
  check_not_recorded(op, operand);
  if (!(broadcast_shapes(op, target.shape(), operand.shape()) == target.shape())) {
    fail("{}: shape {} does not broadcast to {}", op, operand.shape().to_string(), target.shape().to_string());
  }
}

// PyTorch's rule: a float fits into floats alone, an integer into all but bool, a bool into everything.
inline void check_result_type(std::string_view op, DType result, const Tensor& target) {
  const bool loses_fraction = is_floating(result) && !is_floating(target.dtype());
  const bool becomes_bool = result != DType::boolean && target.dtype() == DType::boolean;
  if (loses_fraction || becomes_bool) {
    fail("{}: the result's type {} can't be cast to {}, this tensor's", op, name_of(result),
         name_of(target.dtype()));
  }
}

}  // namespace feral::ops
