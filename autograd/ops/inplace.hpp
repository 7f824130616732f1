// What forms in place share: the rules of what may be written where, and how they are recorded.
#pragma once

#include <string_view>

#include "autograd/grad_mode.hpp"
#include "autograd/ops/check.hpp"
#include "tensor/in_place.hpp"

namespace feral::ops {

// Whether an op in place that writes `target` is to be recorded.
template <class... Operands>
bool is_recorded(const Tensor& target, const Operands&... operands) {
  return GradMode::enabled() && (target.requires_grad() || (operands.requires_grad() || ...));
}

// Throws feral::Error naming `op` unless `target` may become the result of a recorded op: no leaf that requires a
// gradient, and nobody else sees its memory (they would see neither the new elements nor their history).
void check_recordable(std::string_view op, const Tensor& target);

// What `target` is now, in a handle that stays so.
Tensor as_before(const Tensor& target);

// Makes `target`, and all that share its handle, what `result` is; the types must fit as check_result_type says.
void become(std::string_view op, const Tensor& target, const Tensor& result);

// An op in place that is recorded: `target` becomes function(target as it was, operands...). What ops have saved of
// target before is stale from then on.
template <class Function, class... Operands>
const Tensor& record_in_place(std::string_view op, const Tensor& target, Function&& function,
                              const Operands&... operands) {
  check_recordable(op, target);
  const Tensor before = as_before(target);
  // The node may save its operands: `target` itself would then stand on both sides of it.
  [[maybe_unused]] const auto other = [&](const Tensor& operand) {
    return operand.impl() == target.impl() ? before : operand;
  };
  become(op, target, function(before, other(operands)...));
  return target;
}

// May be written into without being recorded; else throws feral::Error naming `op`.
inline void check_in_place(std::string_view op, const Tensor& target) { check_written(op, target); }

// A defined operand that broadcasts to the shape of `target`, which it leaves as it is.
inline void check_operand(std::string_view op, const Tensor& target, const Tensor& operand) {
  check_defined(op, operand);
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
