// Resizing of images: each output element from one or two elements of every dimension.
#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// The elements of one dimension that an output element is made of, and their shares.
template <class T>
struct Sources {
  std::int64_t near, far;
  T near_share, far_share;
};

// PyTorch's rules, in its precision: nearest positions are computed in float32 whatever the elements are.
template <class T>
Sources<T> sources(const InterpolateGeometry& geometry, double scale, std::int64_t o, std::int64_t in,
                   std::int64_t out) {
  if (in == out) return {o, o, T{1}, T{0}};
  if (geometry.mode == InterpolateMode::nearest) {
    if (out == 2 * in) return {o / 2, o / 2, T{1}, T{0}};
    const float step =
        scale > 0 ? static_cast<float>(1.0 / scale) : static_cast<float>(in) / static_cast<float>(out);
    const float position = std::floor(static_cast<float>(o) * step);
    const auto at = static_cast<std::int64_t>(std::min(position, static_cast<float>(in)));
    return {std::min(at, in - 1), std::min(at, in - 1), T{1}, T{0}};
  }
  T position;
  if (geometry.align_corners) {
    position = out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) * static_cast<T>(o) : T{0};
  } else {
    const T step = scale > 0 ? static_cast<T>(1.0 / scale) : static_cast<T>(in) / static_cast<T>(out);
    position = std::max(T{0}, step * (static_cast<T>(o) + T{0.5}) - T{0.5});
  }
  const std::int64_t near = std::min(static_cast<std::int64_t>(std::min(position, static_cast<T>(in))), in - 1);
  if (near == in - 1) return {near, near, T{1}, T{0}};
  const T share = std::clamp(position - static_cast<T>(near), T{0}, T{1});
  return {near, near + 1, T{1} - share, share};
}

// The sources of every output element, worked out once for each dimension.
template <class T>
class Resampling {
 public:
  Resampling(const Shape& x, const Shape& result, const InterpolateGeometry& geometry)
      : memory_(sizeof(Sources<T>) * static_cast<std::size_t>(total(result))) {
    auto* next = reinterpret_cast<Sources<T>*>(memory_.get());
    const int dims = x.dims() - 2;
    for (int i = 0; i < 3; ++i) {
      const auto dim = static_cast<std::size_t>(i);
      const int own = i - (3 - dims);
      if (own >= 0) size[dim] = x[2 + own];
      if (own >= 0) out[dim] = result[2 + own];
      sources_[dim] = next;
      for (std::int64_t o = 0; o < out[dim]; ++o) {
        *next++ = own < 0
                      ? Sources<T>{0, 0, T{1}, T{0}}
                      : sources<T>(geometry, geometry.scale[static_cast<std::size_t>(own)], o, size[dim], out[dim]);
      }
    }
  }

  const Sources<T>& at(std::size_t dim, std::int64_t o) const { return sources_[dim][o]; }

  // The rows of a plane that output row (z, y) is made of, up to four, and their shares.
  struct Rows {
    std::array<std::int64_t, 4> offset;
    std::array<T, 4> share;
    std::size_t count = 0;
    void add(std::int64_t row, T row_share) {
      offset[count] = row;
      share[count++] = row_share;
    }
  };
  Rows rows(std::int64_t z, std::int64_t y) const {
    Rows result;
    const Sources<T>& depth = at(0, z);
    const Sources<T>& height = at(1, y);
    const auto add = [&](std::int64_t slice, T slice_share) {
      result.add((slice * size[1] + height.near) * size[2], slice_share * height.near_share);
      if (height.far != height.near) {
        result.add((slice * size[1] + height.far) * size[2], slice_share * height.far_share);
      }
    };
    add(depth.near, depth.near_share);
    if (depth.far != depth.near) add(depth.far, depth.far_share);
    return result;
  }

  std::array<std::int64_t, 3> size = {1, 1, 1};
  std::array<std::int64_t, 3> out = {1, 1, 1};

 private:
  static std::int64_t total(const Shape& result) {
    std::int64_t sum = 3;
    for (int i = 2; i < result.dims(); ++i) sum += result[i];
    return sum;
  }

  Workspace memory_;
  std::array<const Sources<T>*, 3> sources_ = {};
};

}  // namespace

void interpolate(const Tensor& out, const Tensor& x, const InterpolateGeometry& geometry) {
  if (out.numel() == 0) return;
  const std::int64_t planes = x.shape()[0] * x.shape()[1];
  visit_floating(x.dtype(), [&]<class T>() {
    const Resampling<T> r(x.shape(), out.shape(), geometry);
    const bool nearest = geometry.mode == InterpolateMode::nearest;
    T* to = out.data<T>();
    const T* plane = x.data<T>();
    for (std::int64_t i = 0; i < planes; ++i, plane += r.size[0] * r.size[1] * r.size[2]) {
      for (std::int64_t z = 0; z < r.out[0]; ++z) {
        for (std::int64_t y = 0; y < r.out[1]; ++y, to += r.out[2]) {
          const auto rows = r.rows(z, y);
          for (std::int64_t column = 0; column < r.out[2]; ++column) {
            const Sources<T>& across = r.at(2, column);
            if (nearest) {
              to[column] = plane[rows.offset[0] + across.near];
              continue;
            }
            T sum = 0;
            for (std::size_t k = 0; k < rows.count; ++k) {
              const T* row = plane + rows.offset[k];
              T value = across.near_share * row[across.near];
              if (across.far != across.near) value += across.far_share * row[across.far];
              sum += rows.share[k] * value;
            }
            to[column] = sum;
          }
        }
      }
    }
  });
}

void interpolate_backward(const Tensor& x_gradient, const Tensor& out_gradient,
                          const InterpolateGeometry& geometry) {
  fill(x_gradient, 0);
  if (out_gradient.numel() == 0) return;
  const std::int64_t planes = x_gradient.shape()[0] * x_gradient.shape()[1];
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    const Resampling<T> r(x_gradient.shape(), out_gradient.shape(), geometry);
    const T* from = out_gradient.data<T>();
    T* plane = x_gradient.data<T>();
    for (std::int64_t i = 0; i < planes; ++i, plane += r.size[0] * r.size[1] * r.size[2]) {
      for (std::int64_t z = 0; z < r.out[0]; ++z) {
        for (std::int64_t y = 0; y < r.out[1]; ++y, from += r.out[2]) {
          const auto rows = r.rows(z, y);
          for (std::int64_t column = 0; column < r.out[2]; ++column) {
            const Sources<T>& across = r.at(2, column);
            for (std::size_t k = 0; k < rows.count; ++k) {
              T* row = plane + rows.offset[k];
              const T share = rows.share[k] * from[column];
              row[across.near] += across.near_share * share;
              if (across.far != across.near) row[across.far] += across.far_share * share;
            }
          }
        }
      }
    }
  });
}

}  // namespace feral::cpu
