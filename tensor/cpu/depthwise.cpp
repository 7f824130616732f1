#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/depthwise.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>

#include "tensor/cpu/depthwise.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// to[i * to_stride] += w * from[i * from_stride]
template <class T>
HWY_ATTR HWY_INLINE void add_scaled(T* HWY_RESTRICT to, std::int64_t to_stride, const T* HWY_RESTRICT from,
                                    std::int64_t from_stride, T w, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto factor = hn::Set(d, w);
  std::int64_t i = 0;
  if (to_stride == 1 && from_stride == 1) {
    for (; i + lanes <= n; i += lanes) {
      hn::StoreU(hn::MulAdd(factor, hn::LoadU(d, from + i), hn::LoadU(d, to + i)), d, to + i);
    }
  }
  for (; i < n; ++i) to[i * to_stride] += w * from[i * from_stride];
}

// The sum of a[i] * b[i * stride].
template <class T>
HWY_ATTR HWY_INLINE T sum_of_products(const T* a, const T* b, std::int64_t stride, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T sum = 0;
  std::int64_t i = 0;
  if (stride == 1 && n >= lanes) {
    auto sums = hn::Zero(d);
    for (; i + lanes <= n; i += lanes) sums = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums);
    sum = hn::GetLane(hn::SumOfLanes(d, sums));
  }
  for (; i < n; ++i) sum += a[i] * b[i * stride];
  return sum;
}

// Calls visit(tap, offset in an output plane, offset in an input plane, length) for each run of products of a row.
template <class Visit>
HWY_ATTR HWY_INLINE void for_each_run(const ConvolutionSizes& s, const Visit& visit) {
  for (std::int64_t oz = 0; oz < s.out[0]; ++oz) {
    for (std::int64_t oy = 0; oy < s.out[1]; ++oy) {
      std::int64_t tap = 0;
      for (std::int64_t kz = 0; kz < s.kernel[0]; ++kz) {
        const std::int64_t z = oz * s.stride[0] + kz * s.dilation[0] - s.padding[0];
        for (std::int64_t ky = 0; ky < s.kernel[1]; ++ky) {
          const std::int64_t y = oy * s.stride[1] + ky * s.dilation[1] - s.padding[1];
          const bool outside = z < 0 || z >= s.size[0] || y < 0 || y >= s.size[1];
          for (std::int64_t kx = 0; kx < s.kernel[2]; ++kx, ++tap) {
            const Span across = inside(s, 2, kx);
            if (outside || across.first == across.last) continue;
            visit(tap, (oz * s.out[1] + oy) * s.out[2] + across.first,
                  (z * s.size[1] + y) * s.size[2] + across.first * s.stride[2] + kx * s.dilation[2] - s.padding[2],
                  across.last - across.first);
          }
        }
      }
    }
  }
}

template <class T>
HWY_ATTR void forward(T* out, const T* x, const T* weight, const T* bias, const ConvolutionSizes& s) {
  const std::int64_t taps = elements(s.kernel);
  for (std::int64_t i = 0; i < s.batch * s.filters; ++i, out += s.positions()) {
    const std::int64_t f = i % s.filters;
    const T* plane = x + (i / s.filters * s.channels + f / s.group_filters()) * s.plane();
    std::fill_n(out, s.positions(), bias == nullptr ? T{0} : racy_load(bias + f));
    for_each_run(s, [&](std::int64_t tap, std::int64_t to, std::int64_t from, std::int64_t n) HWY_ATTR {
      add_scaled(out + to, 1, plane + from, s.stride[2], racy_load(weight + f * taps + tap), n);
    });
  }
}

// x_gradient starts as zeros.
template <class T>
HWY_ATTR void input_gradient(T* x_gradient, const T* out_gradient, const T* weight, const ConvolutionSizes& s) {
  const std::int64_t taps = elements(s.kernel);
  for (std::int64_t i = 0; i < s.batch * s.filters; ++i, out_gradient += s.positions()) {
    const std::int64_t f = i % s.filters;
    T* plane = x_gradient + (i / s.filters * s.channels + f / s.group_filters()) * s.plane();
    for_each_run(s, [&](std::int64_t tap, std::int64_t from, std::int64_t to, std::int64_t n) HWY_ATTR {
      add_scaled(plane + to, s.stride[2], out_gradient + from, 1, racy_load(weight + f * taps + tap), n);
    });
  }
}

// weight_gradient starts as zeros.
template <class T>
HWY_ATTR void weight_gradient(T* gradient, const T* x, const T* out_gradient, const ConvolutionSizes& s) {
  const std::int64_t taps = elements(s.kernel);
  for (std::int64_t i = 0; i < s.batch * s.filters; ++i, out_gradient += s.positions()) {
    const std::int64_t f = i % s.filters;
    const T* plane = x + (i / s.filters * s.channels + f / s.group_filters()) * s.plane();
    for_each_run(s, [&](std::int64_t tap, std::int64_t a, std::int64_t b, std::int64_t n) HWY_ATTR {
      gradient[f * taps + tap] += sum_of_products(out_gradient + a, plane + b, s.stride[2], n);
    });
  }
}

// Highway exports functions, not templates.
void forward_float32(float* out, const float* x, const float* weight, const float* bias,
                     const ConvolutionSizes& s) {
  forward(out, x, weight, bias, s);
}
void forward_float64(double* out, const double* x, const double* weight, const double* bias,
                     const ConvolutionSizes& s) {
  forward(out, x, weight, bias, s);
}
void input_float32(float* to, const float* gradient, const float* weight, const ConvolutionSizes& s) {
  input_gradient(to, gradient, weight, s);
}
void input_float64(double* to, const double* gradient, const double* weight, const ConvolutionSizes& s) {
  input_gradient(to, gradient, weight, s);
}
void weight_float32(float* to, const float* x, const float* gradient, const ConvolutionSizes& s) {
  weight_gradient(to, x, gradient, s);
}
void weight_float64(double* to, const double* x, const double* gradient, const ConvolutionSizes& s) {
  weight_gradient(to, x, gradient, s);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "tensor/cpu/kernels.hpp"

namespace feral::cpu {
namespace {
HWY_EXPORT(forward_float32);
HWY_EXPORT(forward_float64);
HWY_EXPORT(input_float32);
HWY_EXPORT(input_float64);
HWY_EXPORT(weight_float32);
HWY_EXPORT(weight_float64);
}  // namespace

void depthwise(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
               const ConvolutionSizes& sizes) {
  if (x.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(forward_float64)
    (out.data<double>(), x.data<double>(), weight.data<double>(), bias.defined() ? bias.data<double>() : nullptr,
     sizes);
  } else {
    HWY_DYNAMIC_DISPATCH(forward_float32)
    (out.data<float>(), x.data<float>(), weight.data<float>(), bias.defined() ? bias.data<float>() : nullptr,
     sizes);
  }
}

void depthwise_input_gradient(const Tensor& x_gradient, const Tensor& out_gradient, const Tensor& weight,
                              const ConvolutionSizes& sizes) {
  fill(x_gradient, 0);
  if (x_gradient.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(input_float64)
    (x_gradient.data<double>(), out_gradient.data<double>(), weight.data<double>(), sizes);
  } else {
    HWY_DYNAMIC_DISPATCH(input_float32)
    (x_gradient.data<float>(), out_gradient.data<float>(), weight.data<float>(), sizes);
  }
}

void depthwise_weight_gradient(const Tensor& weight_gradient, const Tensor& x, const Tensor& out_gradient,
                               const ConvolutionSizes& sizes) {
  fill(weight_gradient, 0);
  if (x.dtype() == DType::float64) {
    HWY_DYNAMIC_DISPATCH(weight_float64)
    (weight_gradient.data<double>(), x.data<double>(), out_gradient.data<double>(), sizes);
  } else {
    HWY_DYNAMIC_DISPATCH(weight_float32)
    (weight_gradient.data<float>(), x.data<float>(), out_gradient.data<float>(), sizes);
  }
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
