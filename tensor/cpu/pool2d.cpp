// Max-pooling.
#include "tensor/cpu/kernels.hpp"

namespace feral::cpu {
namespace {

// The general case: any window.
template <class T>
void pool_plane(T* out, std::uint8_t* window, const T* plane, std::int64_t width, std::int64_t out_height,
                std::int64_t out_width, Pool2dGeometry g) {
  for (std::int64_t y = 0; y < out_height; ++y) {
    for (std::int64_t x = 0; x < out_width; ++x) {
      const T* corner = plane + y * g.stride * width + x * g.stride;
      T largest = corner[0];
      std::int64_t where = 0;
      for (std::int64_t ky = 0; ky < g.kernel; ++ky) {
        for (std::int64_t kx = 0; kx < g.kernel; ++kx) {
          const T value = corner[ky * width + kx];
          if (value > largest || value != value) {  // a NaN wins, as in PyTorch
            largest = value;
            where = ky * g.kernel + kx;
          }
        }
      }
      *out++ = largest;
      if (window != nullptr) *window++ = static_cast<std::uint8_t>(where);
    }
  }
}

// The common case, written so that the compiler can vectorize it: 2×2 windows side by side.
template <class T>
void pool_plane_2x2(T* out, std::uint8_t* window, const T* plane, std::int64_t width, std::int64_t out_height,
                    std::int64_t out_width) {
  for (std::int64_t y = 0; y < out_height; ++y, out += out_width) {
    const T* upper = plane + 2 * y * width;
    const T* lower = upper + width;
    for (std::int64_t x = 0; x < out_width; ++x) {
      const T a = upper[2 * x];
      const T b = upper[2 * x + 1];
      const T c = lower[2 * x];
      const T d = lower[2 * x + 1];
      const bool b_wins = b > a || b != b;
      const T top = b_wins ? b : a;
      const bool d_wins = d > c || d != d;
      const T bottom = d_wins ? d : c;
      const bool bottom_wins = (bottom > top || bottom != bottom) && top == top;
      out[x] = bottom_wins ? bottom : top;
      if (window != nullptr) {
        window[x] = static_cast<std::uint8_t>(bottom_wins ? 2 + (d_wins ? 1 : 0) : (b_wins ? 1 : 0));
      }
    }
    if (window != nullptr) window += out_width;
  }
}

// Calls at(plane, position in out, position in x) for every element of out.
template <class At>
void for_each_window(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry g, At&& at) {
  const std::int64_t planes = x.shape()[0] * x.shape()[1];
  const std::int64_t width = x.shape()[3];
  const std::int64_t plane_size = x.shape()[2] * width;
  const std::uint8_t* where = window.data<std::uint8_t>();
  std::int64_t position = 0;
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t y = 0; y < out.shape()[2]; ++y) {
      for (std::int64_t column = 0; column < out.shape()[3]; ++column, ++position) {
        const std::int64_t offset = where[position];
        const std::int64_t row = y * g.stride + offset / g.kernel;
        at(position, plane * plane_size + row * width + column * g.stride + offset % g.kernel);
      }
    }
  }
}

}  // namespace

void max_pool2d(const Tensor& out, const Tensor& window, const Tensor& x, Pool2dGeometry geometry) {
  const std::int64_t planes = x.shape()[0] * x.shape()[1];
  const std::int64_t width = x.shape()[3];
  const std::int64_t plane_size = x.shape()[2] * width;
  const std::int64_t out_size = out.shape()[2] * out.shape()[3];
  std::uint8_t* where = window.defined() ? window.data<std::uint8_t>() : nullptr;
  visit_floating(x.dtype(), [&]<class T>() {
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      T* to = out.data<T>() + plane * out_size;
      std::uint8_t* to_window = where != nullptr ? where + plane * out_size : nullptr;
      const T* from = x.data<T>() + plane * plane_size;
      if (geometry.kernel == 2 && geometry.stride == 2) {
        pool_plane_2x2(to, to_window, from, width, out.shape()[2], out.shape()[3]);
      } else {
        pool_plane(to, to_window, from, width, out.shape()[2], out.shape()[3], geometry);
      }
    }
  });
}

void max_pool2d_scatter(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& window,
                        Pool2dGeometry geometry) {
  fill(x_gradient, 0);
  visit_floating(x_gradient.dtype(), [&]<class T>() {
    T* to = x_gradient.data<T>();
    const T* from = out_gradient.data<T>();
    for_each_window(out_gradient, x_gradient, window, geometry,
                    [&](std::int64_t position, std::int64_t target) { to[target] += from[position]; });
  });
}

void max_pool2d_gather(const Tensor& out, const Tensor& x, const Tensor& window, Pool2dGeometry geometry) {
  visit_floating(x.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    const T* from = x.data<T>();
    for_each_window(out, x, window, geometry,
                    [&](std::int64_t position, std::int64_t source) { to[position] = from[source]; });
  });
}

}  // namespace feral::cpu
