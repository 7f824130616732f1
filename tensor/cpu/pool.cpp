// Pooling over windows of up to three dimensions.
#include <algorithm>
#include <array>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/workspace.hpp"

namespace feral::cpu {
namespace {

// What a window holds of one dimension: elements first, first + step, … below last; `padded` counts the padding
// too.
struct Window {
  std::int64_t first, last, padded;
};

// The windows of a pooling, worked out once for each dimension.
class Windows {
 public:
  Windows(const Shape& x, const Shape& result, const PoolGeometry& geometry)
      : memory_(sizeof(Window) * static_cast<std::size_t>(total(result))) {
    planes = x[0] * x[1];
    auto* next = reinterpret_cast<Window*>(memory_.get());
    const int dims = x.dims() - 2;
    for (int i = 0; i < dims; ++i) {
      const auto to = static_cast<std::size_t>(3 - dims + i);
      size[to] = x[2 + i];
      out[to] = result[2 + i];
      step[to] = geometry.adaptive ? 1 : geometry.dilation[i];
    }
    for (int i = 0; i < 3; ++i) {
      const auto dim = static_cast<std::size_t>(i);
      windows_[dim] = next;
      for (std::int64_t o = 0; o < out[dim]; ++o) {
        *next++ = i < 3 - dims ? Window{0, 1, 1} : window(geometry, i - (3 - dims), o, size[dim], out[dim]);
      }
    }
  }

  const Window& at(std::size_t dim, std::int64_t o) const { return windows_[dim][o]; }
  std::int64_t plane() const { return size[0] * size[1] * size[2]; }
  std::int64_t positions() const { return out[0] * out[1] * out[2]; }

  // Calls visit(plane, position in the output plane, windows of the three dimensions) for every window.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::int64_t i = 0; i < planes; ++i) {
      std::int64_t position = 0;
      for (std::int64_t z = 0; z < out[0]; ++z) {
        for (std::int64_t y = 0; y < out[1]; ++y) {
          for (std::int64_t x = 0; x < out[2]; ++x) visit(i, position++, at(0, z), at(1, y), at(2, x));
        }
      }
    }
  }

  std::int64_t planes = 0;
  std::array<std::int64_t, 3> size = {1, 1, 1};
  std::array<std::int64_t, 3> out = {1, 1, 1};
  std::array<std::int64_t, 3> step = {1, 1, 1};

 private:
  static std::int64_t total(const Shape& result) {
    std::int64_t sum = 3;
    for (int i = 2; i < result.dims(); ++i) sum += result[i];
    return sum;
  }

  static Window window(const PoolGeometry& geometry, int dim, std::int64_t o, std::int64_t in, std::int64_t count) {
    if (geometry.adaptive) {
      // o * in / count, in parts that cannot overflow.
      const auto share = [&](std::int64_t k) { return in / count * k + in % count * k / count; };
      const std::int64_t last = (in % count * (o + 1)) % count == 0 ? share(o + 1) : share(o + 1) + 1;
      return {share(o), last, last - share(o)};
    }
    const std::int64_t step = geometry.dilation[dim];
    std::int64_t first = o * geometry.stride[dim] - geometry.padding[dim];
    std::int64_t last = first + (geometry.kernel[dim] - 1) * step + 1;
    const std::int64_t padded = std::min(last, in + geometry.padding[dim]) - first;
    if (first < 0) first += (-first + step - 1) / step * step;
    return {first, std::min(last, in), padded};
  }

  Workspace memory_;
  std::array<const Window*, 3> windows_ = {};
};

std::int64_t plane_of(const Tensor& tensor) {
  std::int64_t plane = 1;
  for (int i = 2; i < tensor.dims(); ++i) plane *= tensor.shape()[i];
  return plane;
}

// What the sum of a window is divided by.
double divisor_of(const PoolGeometry& geometry, const Window& z, const Window& y, const Window& x) {
  if (geometry.divisor != 0) return static_cast<double>(geometry.divisor);
  if (geometry.count_include_pad) return static_cast<double>(z.padded * y.padded * x.padded);
  return static_cast<double>((z.last - z.first) * (y.last - y.first) * (x.last - x.first));
}

}  // namespace

void max_pool_indices(const Tensor& indices, const Tensor& x, const PoolGeometry& geometry) {
  if (indices.numel() == 0) return;
  const Windows windows(x.shape(), indices.shape(), geometry);
  visit_floating(x.dtype(), [&]<class T>() {
    windows.for_each(
        [&](std::int64_t plane, std::int64_t position, const Window& wz, const Window& wy, const Window& wx) {
          const T* from = x.data<T>() + plane * windows.plane();
          std::int64_t where = (wz.first * windows.size[1] + wy.first) * windows.size[2] + wx.first;
          T largest = from[where];
          for (std::int64_t z = wz.first; z < wz.last; z += windows.step[0]) {
            for (std::int64_t y = wy.first; y < wy.last; y += windows.step[1]) {
              const std::int64_t row = (z * windows.size[1] + y) * windows.size[2];
              for (std::int64_t column = wx.first; column < wx.last; column += windows.step[2]) {
                const T value = from[row + column];
                // Larger, or the first NaN, which wins as in PyTorch.
                if (!((value > largest || value != value) && largest == largest)) continue;
                largest = value;
                where = row + column;
              }
            }
          }
          indices.data<std::int64_t>()[plane * windows.positions() + position] = where;
        });
  });
}

void pool_gather(const Tensor& out, const Tensor& x, const Tensor& indices) {
  const std::int64_t plane = plane_of(x);
  const std::int64_t positions = plane_of(out);
  const auto* index = indices.data<std::int64_t>();
  visit_floating(x.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    const T* from = x.data<T>();
    for (std::int64_t i = 0; i < out.numel(); i += positions, from += plane) {
      for (std::int64_t k = i; k < i + positions; ++k) to[k] = from[index[k]];
    }
  });
}

void pool_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& indices) {
  fill(x_gradient, 0);
  const std::int64_t plane = plane_of(x_gradient);
  const std::int64_t positions = plane_of(out_gradient);
  const auto* index = indices.data<std::int64_t>();
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    T* to = x_gradient.data<T>();
    const T* from = out_gradient.data<T>();
    for (std::int64_t i = 0; i < out_gradient.numel(); i += positions, to += plane) {
      for (std::int64_t k = i; k < i + positions; ++k) to[index[k]] += from[k];
    }
  });
}

void avg_pool(const Tensor& out, const Tensor& x, const PoolGeometry& geometry) {
  if (out.numel() == 0) return;
  const Windows windows(x.shape(), out.shape(), geometry);
  visit_floating(x.dtype(), [&]<class T>() {
    windows.for_each(
        [&](std::int64_t plane, std::int64_t position, const Window& wz, const Window& wy, const Window& wx) {
          const T* from = x.data<T>() + plane * windows.plane();
          double sum = 0;
          for (std::int64_t z = wz.first; z < wz.last; ++z) {
            for (std::int64_t y = wy.first; y < wy.last; ++y) {
              const T* row = from + (z * windows.size[1] + y) * windows.size[2];
              for (std::int64_t column = wx.first; column < wx.last; ++column)
                sum += static_cast<double>(row[column]);
            }
          }
          out.data<T>()[plane * windows.positions() + position] =
              static_cast<T>(sum / divisor_of(geometry, wz, wy, wx));
        });
  });
}

void avg_pool_backward(const Tensor& x_gradient, const Tensor& out_gradient, const PoolGeometry& geometry) {
  fill(x_gradient, 0);
  if (out_gradient.numel() == 0) return;
  const Windows windows(x_gradient.shape(), out_gradient.shape(), geometry);
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    windows.for_each(
        [&](std::int64_t plane, std::int64_t position, const Window& wz, const Window& wy, const Window& wx) {
          T* to = x_gradient.data<T>() + plane * windows.plane();
          const auto share =
              static_cast<T>(static_cast<double>(out_gradient.data<T>()[plane * windows.positions() + position]) /
                             divisor_of(geometry, wz, wy, wx));
          for (std::int64_t z = wz.first; z < wz.last; ++z) {
            for (std::int64_t y = wy.first; y < wy.last; ++y) {
              T* row = to + (z * windows.size[1] + y) * windows.size[2];
              for (std::int64_t column = wx.first; column < wx.last; ++column) row[column] += share;
            }
          }
        });
  });
}

}  // namespace feral::cpu
