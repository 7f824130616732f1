#include "tensor/shape.hpp"

#include <algorithm>

#include "core/fail.hpp"

namespace feral {

Shape::Shape(std::span<const std::int64_t> values) {
  if (values.size() > max_dims) fail("shape: {} dimensions, at most {} are supported", values.size(), max_dims);
  for (const std::int64_t value : values) values_[dims_++] = value;
}

void Shape::push_back(std::int64_t value) {
  if (dims_ == max_dims) fail("shape: more than {} dimensions", max_dims);
  values_[dims_++] = value;
}

std::int64_t Shape::numel() const {
  // Zeros are left out until the end: the strides, too, must be countable.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : *this) {
    if (size < 0) fail("shape: negative size in {}", to_string());
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, size, &product)) {
      fail("shape: {} has too many elements", to_string());
    }
  }
  return empty ? 0 : product;
}

Shape Shape::contiguous_strides() const noexcept {
  Shape strides(*this);
  std::int64_t stride = 1;
  for (int i = dims_ - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(values_[i], 1);
  }
  return strides;
}

std::string Shape::to_string() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.dims() >= b.dims() ? a : b;
  const Shape& shorter = a.dims() >= b.dims() ? b : a;
  Shape result = longer;
  const int lead = longer.dims() - shorter.dims();
  for (int i = 0; i < shorter.dims(); ++i) {
    const std::int64_t x = longer[lead + i];
    const std::int64_t y = shorter[i];
    if (x != y && x != 1 && y != 1) {
      fail("{}: shapes {} and {} do not broadcast: sizes {} and {} differ", op, a.to_string(), b.to_string(), x, y);
    }
    result[lead + i] = x == 1 ? y : x;
  }
  return result;
}

int normalize_dim(std::string_view op, std::int64_t dim, int dims) {
  const std::int64_t normalized = dim < 0 ? dim + dims : dim;
  if (normalized < 0 || normalized >= dims) {
    fail("{}: dimension {} is out of range for a tensor of {} dimensions", op, dim, dims);
  }
  return static_cast<int>(normalized);
}

}  // namespace feral
