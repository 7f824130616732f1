// Tensors made by rule.
#include <cmath>
#include <limits>

#include "core/fail.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"
#include "tensor/tensor.hpp"
#include "tensor/view_of.hpp"

namespace feral {
namespace {

void refuse_bool(const char* op, DType dtype) {
  if (dtype == DType::boolean) fail("{}: bool has no steps; compare the numbers with ne(0)", op);
}

// One past the largest int64, exact as a double.
constexpr double int64_end = 0x1p63;

void check_fits(const char* op, const char* what, double value) {
  if (!(value >= -int64_end && value < int64_end)) fail("{}: {} {} is no int64", op, what, value);
}

// All in whole numbers: nothing is rounded, however large.
Tensor whole_range(std::int64_t start, std::int64_t end, std::int64_t step, DType dtype) {
  if (step == 0) fail("arange: the step {} is 0", step);
  if (step > 0 ? end < start : end > start) fail("arange: steps of {} do not lead from {} to {}", step, start, end);
  const auto distance = step > 0 ? static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(start)
                                 : static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(end);
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : std::uint64_t{0} - static_cast<std::uint64_t>(step);
  const std::uint64_t length = distance / stride + (distance % stride != 0 ? 1 : 0);
  if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    fail("arange: {} numbers are too many", length);
  const Tensor out = Tensor::empty({static_cast<std::int64_t>(length)}, dtype);
  kernels(out.device()).arange(out, start, step);
  return out;
}

}  // namespace

Tensor Tensor::zeros_like(const Tensor& other) {
  refuse_undefined("zeros_like", other);
  return zeros(other.shape(), other.dtype());
}

Tensor Tensor::ones_like(const Tensor& other) {
  refuse_undefined("ones_like", other);
  return ones(other.shape(), other.dtype());
}

Tensor Tensor::full_like(const Tensor& other, Scalar value) {
  refuse_undefined("full_like", other);
  return full(other.shape(), value, other.dtype());
}

Tensor Tensor::empty_like(const Tensor& other) {
  refuse_undefined("empty_like", other);
  return empty(other.shape(), other.dtype());
}

Tensor Tensor::arange(Scalar end) { return arange(0, end, 1); }

Tensor Tensor::arange(Scalar start, Scalar end, Scalar step) {
  const bool integers = !start.floating && !end.floating && !step.floating;
  return arange(start, end, step, integers ? DType::int64 : DType::float32);
}

Tensor Tensor::arange(Scalar start, Scalar end, Scalar step, DType dtype) {
  refuse_bool("arange", dtype);
  double first = start.value;
  double last = end.value;
  double by = step.value;
  if (!std::isfinite(first) || !std::isfinite(last) || !std::isfinite(by)) {
    fail("arange: from {} to {} by {}: the numbers must be finite", first, last, by);
  }
  if (!start.floating && !end.floating && !step.floating && !is_floating(dtype)) {
    return whole_range(start.integer, end.integer, step.integer, dtype);
  }
  // PyTorch's length: int64 counts in whole numbers, other types as the numbers were given.
  if (dtype == DType::int64) {
    first = std::trunc(first);
    last = std::trunc(last);
    by = std::trunc(by);
  }
  if (by == 0 || (!is_floating(dtype) && std::trunc(by) == 0)) fail("arange: the step {} is 0", step.value);
  if (by > 0 ? last < first : last > first) fail("arange: steps of {} do not lead from {} to {}", by, first, last);
  const double length = std::ceil((last - first) / by);
  if (!(length < int64_end)) fail("arange: {} numbers are too many", length);
  if (!is_floating(dtype)) {
    check_fits("arange", "start", first);
    check_fits("arange", "step", by);
  }
  const Tensor out = empty({static_cast<std::int64_t>(length)}, dtype);
  kernels(out.device()).arange(out, first, by);
  return out;
}

Tensor Tensor::linspace(double start, double end, std::int64_t count, DType dtype) {
  refuse_bool("linspace", dtype);
  if (count < 0) fail("linspace: {} numbers", count);
  if (!is_floating(dtype)) {
    // Everything between two numbers that the type holds is held by it, too.
    const double largest = std::ldexp(1.0, static_cast<int>(8 * size_of(dtype)) - (dtype == DType::uint8 ? 0 : 1));
    const double smallest = dtype == DType::uint8 ? 0 : -largest;
    for (const double value : {start, end}) {
      if (!(std::trunc(value) >= smallest && value < largest)) {
        fail("linspace: {} does not fit into {}", value, name_of(dtype));
      }
    }
  }
  const Tensor out = empty({count}, dtype);
  kernels(out.device()).linspace(out, start, end);
  return out;
}

Tensor Tensor::eye(std::int64_t rows, DType dtype) { return eye(rows, rows, dtype); }

Tensor Tensor::eye(std::int64_t rows, std::int64_t columns, DType dtype) {
  if (rows < 0 || columns < 0) fail("eye: {} rows of {} columns", rows, columns);
  const Tensor out = zeros({rows, columns}, dtype);
  const std::int64_t length = rows < columns ? rows : columns;
  if (length == 0) return out;
  kernels(out.device()).fill(view_of(out, {length}, {columns + 1}), 1);
  return out;
}

}  // namespace feral
