// Batch normalization: channels that are normalized over all samples.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/batch_norm.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/normalization-inl.hpp"
#include "tensor/cpu/normalization.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_BATCH_NORM_ONCE
#define FERAL_TENSOR_CPU_BATCH_NORM_ONCE
namespace feral::cpu {

// x [samples, channels, inner]; arrays of a number a channel. T is float or double.
template <class T>
struct BatchNormArguments {
  std::int64_t samples;
  std::int64_t channels;
  std::int64_t inner;
  const T* x;
  const T* gradient;
  T* out;  // of the forward pass, or x's gradient
  const T* mean;
  const T* scale;
  const T* shift;  // on the way back: what goes off through the mean
  const T* slope;  // on the way back: and through the variance, per distance from the mean
  double* sums;    // two rows of them: of x, or of squares; of g, and of g * (x - mean)
  T* partial;      // two rows of scratch
};

struct BatchNormKernel {
  void (*sums)(const void* arguments);
  void (*squares)(const void* arguments);
  void (*normalize)(const void* arguments);
  void (*gradient_sums)(const void* arguments);
  void (*gradient)(const void* arguments);
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether a channel's elements lie side by side; if not, the channels do.
template <class T>
bool has_runs(const BatchNormArguments<T>& a) {
  return a.inner != 1;
}

// body(run's first element, channel) for every run of a channel's elements, a channel after the other: what a first
// pass has read is in the cache for the second.
template <class T, class Body>
HWY_ATTR HWY_INLINE void each_run(const BatchNormArguments<T>& a, const Body& body) {
  for (std::int64_t c = 0; c < a.channels; ++c) {
    for (std::int64_t s = 0; s < a.samples; ++s) body((s * a.channels + c) * a.inner, c);
  }
}

// Calls body(row, first element of a row) for all samples, and adds the partial sums to `sums` now and then.
template <int sums, class T, class Body>
HWY_ATTR HWY_INLINE void each_summed_row(const BatchNormArguments<T>& a, const Body& body) {
  std::fill_n(a.partial, sums * a.channels, T{0});
  for (std::int64_t s = 0; s < a.samples; ++s) {
    body(s * a.channels);
    if (s % rows_a_partial_sum == 0 || s + 1 == a.samples) flush_partial(a.sums, a.partial, sums * a.channels);
  }
}

template <class T>
HWY_ATTR void batch_sums(const void* argument) {
  const auto& a = *static_cast<const BatchNormArguments<T>*>(argument);
  if (has_runs(a)) {
    each_run(a, [&](std::int64_t at, std::int64_t c)
                    HWY_ATTR { a.sums[c] += sum_contiguous<Identity, T>(a.x + at, a.inner, T{0}); });
    return;
  }
  const hn::ScalableTag<T> d;
  each_summed_row<1>(a, [&](std::int64_t at) HWY_ATTR {
    each_vector(d, a.channels, [&](std::int64_t c, auto part) HWY_ATTR {
      const auto before = load_part(d, a.partial + c, part);
      store_part(d, hn::Add(before, load_part(d, a.x + at + c, part)), a.partial + c, part);
    });
  });
}

template <class T>
HWY_ATTR void batch_squares(const void* argument) {
  const auto& a = *static_cast<const BatchNormArguments<T>*>(argument);
  if (has_runs(a)) {
    each_run(a, [&](std::int64_t at, std::int64_t c)
                    HWY_ATTR { a.sums[c] += sum_contiguous<SquaredDistance, T>(a.x + at, a.inner, a.mean[c]); });
    return;
  }
  const hn::ScalableTag<T> d;
  each_summed_row<1>(a, [&](std::int64_t at) HWY_ATTR {
    each_vector(d, a.channels, [&](std::int64_t c, auto part) HWY_ATTR {
      const auto distance = hn::Sub(load_part(d, a.x + at + c, part), load_part(d, a.mean + c, part));
      const auto before = load_part(d, a.partial + c, part);
      store_part(d, hn::MulAdd(distance, distance, before), a.partial + c, part);
    });
  });
}

template <class T>
HWY_ATTR void batch_normalize(const void* argument) {
  const auto& a = *static_cast<const BatchNormArguments<T>*>(argument);
  if (has_runs(a)) {
    // In the order of memory: nothing is read twice here.
    for (std::int64_t s = 0; s < a.samples; ++s) {
      for (std::int64_t c = 0; c < a.channels; ++c) {
        const std::int64_t at = (s * a.channels + c) * a.inner;
        normalize_run(a.out + at, a.x + at, a.inner, a.mean[c], a.scale[c], a.shift[c]);
      }
    }
    return;
  }
  const hn::ScalableTag<T> d;
  for (std::int64_t s = 0; s < a.samples; ++s) {
    const std::int64_t at = s * a.channels;
    each_vector(d, a.channels, [&](std::int64_t c, auto part) HWY_ATTR {
      const auto distance = hn::Sub(load_part(d, a.x + at + c, part), load_part(d, a.mean + c, part));
      const auto out = hn::MulAdd(distance, load_part(d, a.scale + c, part), load_part(d, a.shift + c, part));
      store_part(d, out, a.out + at + c, part);
    });
  }
}

template <class T>
HWY_ATTR void batch_gradient_sums(const void* argument) {
  const auto& a = *static_cast<const BatchNormArguments<T>*>(argument);
  if (has_runs(a)) {
    each_run(a, [&](std::int64_t at, std::int64_t c) HWY_ATTR {
      GradientSums sums;
      add_gradient_sums(sums, a.gradient + at, a.x + at, a.inner, a.mean[c]);
      a.sums[c] += sums.plain;
      a.sums[a.channels + c] += sums.weighted;
    });
    return;
  }
  const hn::ScalableTag<T> d;
  T* const weighted = a.partial + a.channels;
  each_summed_row<2>(a, [&](std::int64_t at) HWY_ATTR {
    each_vector(d, a.channels, [&](std::int64_t c, auto part) HWY_ATTR {
      const auto arriving = load_part(d, a.gradient + at + c, part);
      const auto distance = hn::Sub(load_part(d, a.x + at + c, part), load_part(d, a.mean + c, part));
      store_part(d, hn::Add(load_part(d, a.partial + c, part), arriving), a.partial + c, part);
      store_part(d, hn::MulAdd(arriving, distance, load_part(d, weighted + c, part)), weighted + c, part);
    });
  });
}

template <class T>
HWY_ATTR void batch_gradient(const void* argument) {
  const auto& a = *static_cast<const BatchNormArguments<T>*>(argument);
  if (has_runs(a)) {
    for (std::int64_t s = 0; s < a.samples; ++s) {
      for (std::int64_t c = 0; c < a.channels; ++c) {
        const std::int64_t at = (s * a.channels + c) * a.inner;
        gradient_run(a.out + at, a.gradient + at, a.x + at, a.inner, a.mean[c], a.scale[c], a.slope[c], a.shift[c]);
      }
    }
    return;
  }
  const hn::ScalableTag<T> d;
  for (std::int64_t s = 0; s < a.samples; ++s) {
    const std::int64_t at = s * a.channels;
    each_vector(d, a.channels, [&](std::int64_t c, auto part) HWY_ATTR {
      const auto distance = hn::Sub(load_part(d, a.x + at + c, part), load_part(d, a.mean + c, part));
      const auto own = hn::MulSub(load_part(d, a.gradient + at + c, part), load_part(d, a.scale + c, part),
                                  load_part(d, a.shift + c, part));
      store_part(d, hn::NegMulAdd(distance, load_part(d, a.slope + c, part), own), a.out + at + c, part);
    });
  }
}

template <class T>
constexpr BatchNormKernel batch_norm_kernel = {batch_sums<T>, batch_squares<T>, batch_normalize<T>,
                                               batch_gradient_sums<T>, batch_gradient<T>};

BatchNormKernel batch_norm_kernel_of(DType dtype) {
  return dtype == DType::float64 ? batch_norm_kernel<double> : batch_norm_kernel<float>;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(batch_norm_kernel_of);

namespace {

template <class T>
BatchNormArguments<T> batch_norm_arguments(const Tensor& x) {
  BatchNormArguments<T> a = {};
  a.samples = x.shape()[0];
  a.channels = x.shape()[1];
  a.inner = 1;
  for (int i = 2; i < x.dims(); ++i) a.inner *= x.shape()[i];
  a.x = x.data<T>();
  return a;
}

BatchNormKernel kernel_of(const Tensor& x) { return HWY_DYNAMIC_DISPATCH(batch_norm_kernel_of)(x.dtype()); }

template <class T>
T inverse_root(T variance, double eps) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(variance) + eps));
}

}  // namespace

void batch_moments(const Tensor& moments, const Tensor& x) {
  visit_floating(x.dtype(), [&]<class T>() {
    BatchNormArguments<T> a = batch_norm_arguments<T>(x);
    const Workspace workspace(static_cast<std::size_t>(a.channels) * (sizeof(double) + sizeof(T)));
    a.sums = reinterpret_cast<double*>(workspace.get());
    a.partial = reinterpret_cast<T*>(a.sums + a.channels);
    const auto count = static_cast<double>(a.samples * a.inner);
    T* const means = moments.data<T>();
    T* const variances = means + a.channels;
    std::fill_n(a.sums, a.channels, 0.0);
    kernel_of(x).sums(&a);
    for (std::int64_t c = 0; c < a.channels; ++c) means[c] = static_cast<T>(a.sums[c] / count);
    a.mean = means;
    std::fill_n(a.sums, a.channels, 0.0);
    kernel_of(x).squares(&a);
    for (std::int64_t c = 0; c < a.channels; ++c) variances[c] = static_cast<T>(a.sums[c] / count);
  });
}

void batch_norm(const Tensor& out, const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias,
                double eps) {
  visit_floating(x.dtype(), [&]<class T>() {
    BatchNormArguments<T> a = batch_norm_arguments<T>(x);
    const Workspace workspace(static_cast<std::size_t>(2 * a.channels) * sizeof(T));
    T* const scale = reinterpret_cast<T*>(workspace.get());
    T* const shift = scale + a.channels;
    copy_or_fill(scale, weight, a.channels, T{1});
    copy_or_fill(shift, bias, a.channels, T{0});
    a.mean = moments.data<T>();
    for (std::int64_t c = 0; c < a.channels; ++c) scale[c] *= inverse_root(a.mean[a.channels + c], eps);
    a.scale = scale;
    a.shift = shift;
    a.out = out.data<T>();
    kernel_of(x).normalize(&a);
  });
}

void batch_norm_backward(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                         const Tensor& gradient, const Tensor& x, const Tensor& moments, const Tensor& weight,
                         double eps, bool constant_moments) {
  visit_floating(x.dtype(), [&]<class T>() {
    BatchNormArguments<T> a = batch_norm_arguments<T>(x);
    const auto channels = static_cast<std::size_t>(a.channels);
    const Workspace workspace(channels * (2 * sizeof(double) + 5 * sizeof(T)));
    a.sums = reinterpret_cast<double*>(workspace.get());
    a.partial = reinterpret_cast<T*>(a.sums + 2 * a.channels);
    T* const scale = a.partial + 2 * a.channels;
    T* const slope = scale + a.channels;
    T* const level = slope + a.channels;
    copy_or_fill(scale, weight, a.channels, T{1});
    a.mean = moments.data<T>();
    a.gradient = gradient.data<T>();
    std::fill_n(a.sums, 2 * a.channels, 0.0);
    const bool sums_wanted = !constant_moments || weight_gradient.defined() || bias_gradient.defined();
    if (sums_wanted) kernel_of(x).gradient_sums(&a);
    const auto count = static_cast<double>(a.samples * a.inner);
    for (std::int64_t c = 0; c < a.channels; ++c) {
      const auto root = static_cast<double>(inverse_root(a.mean[a.channels + c], eps));
      const double plain = a.sums[c];
      const double weighted = a.sums[a.channels + c];
      const double factor = static_cast<double>(scale[c]) * root;
      scale[c] = static_cast<T>(factor);
      slope[c] = constant_moments ? T{0} : static_cast<T>(factor * root * root * weighted / count);
      level[c] = constant_moments ? T{0} : static_cast<T>(factor * plain / count);
      if (weight_gradient.defined()) weight_gradient.data<T>()[c] = static_cast<T>(root * weighted);
      if (bias_gradient.defined()) bias_gradient.data<T>()[c] = static_cast<T>(plain);
    }
    if (!x_gradient.defined()) return;
    a.scale = scale;
    a.slope = slope;
    a.shift = level;
    a.out = x_gradient.data<T>();
    kernel_of(x).gradient(&a);
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
