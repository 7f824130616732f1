// Sizes of a tensor's dimensions, inline, up to eight of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace feral {

// A short list of integers, one a dimension: sizes, or strides in elements.
class Shape {
 public:
  static constexpr int max_dims = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> values) : Shape(std::span(values.begin(), values.size())) {}
  // Throws feral::Error for more than max_dims values.
  explicit Shape(std::span<const std::int64_t> values);

  int dims() const noexcept { return dims_; }
  std::int64_t operator[](int dim) const noexcept { return values_[dim]; }
  std::int64_t& operator[](int dim) noexcept { return values_[dim]; }
  const std::int64_t* begin() const noexcept { return values_; }
  const std::int64_t* end() const noexcept { return values_ + dims_; }

  // Appends a dimension; throws feral::Error beyond max_dims.
  void push_back(std::int64_t value);

  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.dims_ != b.dims_) return false;
    for (int i = 0; i < a.dims_; ++i) {
      if (a.values_[i] != b.values_[i]) return false;
    }
    return true;
  }

  // The product of all sizes (1 for no dimension); throws feral::Error on a negative size or overflow.
  std::int64_t numel() const;

  // Row-major strides in elements.
  Shape contiguous_strides() const noexcept;

  // "[64, 1, 28, 28]"
  std::string to_string() const;

 private:
  std::int64_t values_[max_dims] = {};
  int dims_ = 0;
};

// The dimensions that an op works on, one or several, each counted from the end when negative.
class Dims : public Shape {
 public:
  using Shape::Shape;
  Dims(std::int64_t dim) : Shape({dim}) {}
};

// NumPy's broadcasting of two shapes; throws feral::Error naming `op` and both shapes when they do not fit.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

// `dim` counted from the end when negative, checked; throws feral::Error naming `op`.
int normalize_dim(std::string_view op, std::int64_t dim, int dims);

}  // namespace feral
