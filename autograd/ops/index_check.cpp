#include "autograd/ops/index_check.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

#include "autograd/ops/check.hpp"
#include "autograd/ops/inplace.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

Tensor int64_index(std::string_view op, const Tensor& index) {
  check_defined(op, index);
  if (index.dtype() != DType::int64 && index.dtype() != DType::int32) {
    fail("{}: an index must be int64 or int32, got {}", op, index.to_string());
  }
  return index.to(DType::int64);
}

void check_indices(std::string_view op, const Tensor& index, std::int64_t low, std::int64_t high) {
  check_defined(op, index);
  if (index.dtype() != DType::int64) fail("{}: indices must be int64, got {}", op, index.to_string());
  const std::int64_t place = kernels(index.device()).find_outside(index, low, high);
  if (place < 0) return;
  Shape coordinates = index.shape();
  std::int64_t rest = place;
  std::int64_t offset = 0;
  for (int i = index.dims() - 1; i >= 0; --i) {
    coordinates[i] = rest % index.shape()[i];
    rest /= index.shape()[i];
    offset += coordinates[i] * index.strides()[i];
  }
  fail("{}: index {} at position {} is outside of [{}, {})", op, index.data<std::int64_t>()[offset],
       coordinates.to_string(), low, high);
}

Tensor wrapped_index(std::string_view op, const Tensor& index, std::int64_t size) {
  const Tensor given = int64_index(op, index);
  const Kernels& device = kernels(given.device());
  if (device.find_outside(given, 0, size) < 0) return given.contiguous();
  check_indices(op, given, -size, size);
  const Tensor positions = Tensor::empty(given.shape(), DType::int64);
  device.fold_positions(positions, given, size, false);
  return positions;
}

Tensor number_of(std::string_view op, Scalar value, DType dtype) {
  const Tensor number = Tensor::empty({}, dtype);
  if (is_floating(dtype) || dtype == DType::boolean) {
    kernels(number.device()).fill(number, value);
    return number;
  }
  visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      // Truncated; as in PyTorch a negative number wraps around to an unsigned type. The comparisons are exact: the
      // end of the type's range is a power of two.
      constexpr double end = 2.0 * static_cast<double>(std::uint64_t{1} << (std::numeric_limits<T>::digits - 1));
      const double whole = std::trunc(value.value);
      const bool exact = !value.floating && sizeof(T) == sizeof(value.integer);
      if (!exact && !(whole < end && whole >= (std::is_signed_v<T> ? -end : 1 - end))) {
        fail("{}: {} does not fit {}", op, value.value, name_of(dtype));
      }
      *number.data<T>() = static_cast<T>(exact ? value.integer : static_cast<std::int64_t>(whole));
    }
  });
  return number;
}

void check_in_place(std::string_view op, const Tensor& target, std::initializer_list<const Tensor*> operands) {
  check_in_place(op, target);
  for (const Tensor* operand : operands) {
    check_defined(op, *operand);
  }
}

Tensor copied_from(const Tensor& target, const Tensor& operand) {
  if (!may_share_memory(target, operand)) return operand;
  const Tensor copy = Tensor::empty(operand.shape(), operand.dtype());
  kernels(operand.device()).copy(copy, operand);
  return copy;
}

}  // namespace feral::ops
