// Layer, group and root-mean-square normalization: rows that are normalized each for itself.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/row_norm.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "tensor/cpu/kernels.hpp"
#include "tensor/cpu/normalization-inl.hpp"
#include "tensor/cpu/normalization.hpp"
#include "tensor/cpu/workspace.hpp"

#ifndef FERAL_TENSOR_CPU_ROW_NORM_ONCE
#define FERAL_TENSOR_CPU_ROW_NORM_ONCE
namespace feral::cpu {

// One row and what belongs to it; T is float or double, pointers that are null are not wanted.
template <class T>
struct NormRow {
  const RowNormGeometry* geometry;
  const T* x;
  const T* weight;  // of its group
  const T* bias;
  T* out;
  T* stats;  // mean and 1 / root
  const T* gradient;
  T* x_gradient;
  // Sums over rows: columns' in the elements' type, where a channel is one element, else channels'.
  T* partial_weight;
  T* partial_bias;
  double* total_weight;
  double* total_bias;
};

struct RowNormKernel {
  void (*forward)(const void* row);
  void (*backward)(const void* row);
  void (*flush)(double* totals, void* partial, std::int64_t n);
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_ATTR void row_norm_forward(const void* argument) {
  const auto& row = *static_cast<const NormRow<T>*>(argument);
  const RowNormGeometry& geometry = *row.geometry;
  const std::int64_t n = geometry.channels * geometry.inner;
  const auto count = static_cast<double>(n);
  const T mean = geometry.centered ? static_cast<T>(sum_contiguous<Identity, T>(row.x, n, T{0}) / count) : T{0};
  const double variance = sum_contiguous<SquaredDistance, T>(row.x, n, mean) / count;
  const T scale = static_cast<T>(1 / std::sqrt(variance + geometry.eps));
  if (row.stats != nullptr) {
    row.stats[0] = mean;
    row.stats[1] = scale;
  }
  if (geometry.inner != 1) {
    for (std::int64_t c = 0; c < geometry.channels; ++c) {
      const std::int64_t at = c * geometry.inner;
      normalize_run(row.out + at, row.x + at, geometry.inner, mean, scale * row.weight[c], row.bias[c]);
    }
    return;
  }
  const hn::ScalableTag<T> d;
  const auto middle = hn::Set(d, mean);
  const auto factor = hn::Set(d, scale);
  each_vector(d, n, [&](std::int64_t i, auto part) HWY_ATTR {
    const auto normal = hn::Mul(hn::Sub(load_part(d, row.x + i, part), middle), factor);
    const auto weighted = hn::MulAdd(normal, load_part(d, row.weight + i, part), load_part(d, row.bias + i, part));
    store_part(d, weighted, row.out + i, part);
  });
}

// How much of the row's gradient goes off again: through the variance, per distance from the mean, and the mean.
template <class T>
struct NormCorrection {
  T slope;
  T level;
};

template <class T>
NormCorrection<T> norm_correction(const NormRow<T>& row, double plain, double weighted) {
  const auto count = static_cast<double>(row.geometry->channels * row.geometry->inner);
  const auto scale = static_cast<double>(row.stats[1]);
  return {static_cast<T>(scale * scale * scale * weighted / count),
          row.geometry->centered ? static_cast<T>(scale * plain / count) : T{0}};
}

// Columns with a weight each.
template <class T>
HWY_ATTR void row_norm_backward_columns(const NormRow<T>& row) {
  const hn::ScalableTag<T> d;
  const std::int64_t n = row.geometry->channels;
  const auto middle = hn::Set(d, row.stats[0]);
  const auto factor = hn::Set(d, row.stats[1]);
  const std::int64_t piece = 256 * static_cast<std::int64_t>(hn::Lanes(d));
  double plain = 0;
  double weighted = 0;
  for (std::int64_t start = 0; start < n; start += piece) {
    auto sum = hn::Zero(d);
    auto weighted_sum = hn::Zero(d);
    each_vector(d, HWY_MIN(piece, n - start), [&](std::int64_t i, auto part) HWY_ATTR {
      const std::int64_t j = start + i;
      const auto arriving = load_part(d, row.gradient + j, part);
      const auto distance = hn::Sub(load_part(d, row.x + j, part), middle);
      const auto own = hn::Mul(arriving, load_part(d, row.weight + j, part));
      sum = hn::Add(sum, own);
      weighted_sum = hn::MulAdd(own, distance, weighted_sum);
      if (row.partial_weight != nullptr) {
        const auto before = load_part(d, row.partial_weight + j, part);
        store_part(d, hn::MulAdd(arriving, hn::Mul(distance, factor), before), row.partial_weight + j, part);
      }
      if (row.partial_bias != nullptr) {
        const auto before = load_part(d, row.partial_bias + j, part);
        store_part(d, hn::Add(arriving, before), row.partial_bias + j, part);
      }
    });
    plain += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
    weighted += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, weighted_sum)));
  }
  if (row.x_gradient == nullptr) return;
  const NormCorrection<T> correction = norm_correction(row, plain, weighted);
  const auto slope = hn::Set(d, correction.slope);
  const auto level = hn::Set(d, correction.level);
  each_vector(d, n, [&](std::int64_t i, auto part) HWY_ATTR {
    const auto own = hn::Mul(load_part(d, row.gradient + i, part), load_part(d, row.weight + i, part));
    const auto distance = hn::Sub(load_part(d, row.x + i, part), middle);
    const auto direct = hn::MulSub(own, factor, level);
    store_part(d, hn::NegMulAdd(distance, slope, direct), row.x_gradient + i, part);
  });
}

template <class T>
HWY_ATTR void row_norm_backward(const void* argument) {
  const auto& row = *static_cast<const NormRow<T>*>(argument);
  const RowNormGeometry& geometry = *row.geometry;
  if (geometry.inner == 1) {
    row_norm_backward_columns(row);
    return;
  }
  const T mean = row.stats[0];
  const auto scale = static_cast<double>(row.stats[1]);
  double plain = 0;
  double weighted = 0;
  for (std::int64_t c = 0; c < geometry.channels; ++c) {
    const std::int64_t at = c * geometry.inner;
    GradientSums sums;
    add_gradient_sums(sums, row.gradient + at, row.x + at, geometry.inner, mean);
    plain += static_cast<double>(row.weight[c]) * sums.plain;
    weighted += static_cast<double>(row.weight[c]) * sums.weighted;
    if (row.total_weight != nullptr) row.total_weight[c] += scale * sums.weighted;
    if (row.total_bias != nullptr) row.total_bias[c] += sums.plain;
  }
  if (row.x_gradient == nullptr) return;
  const NormCorrection<T> correction = norm_correction(row, plain, weighted);
  for (std::int64_t c = 0; c < geometry.channels; ++c) {
    const std::int64_t at = c * geometry.inner;
    gradient_run(row.x_gradient + at, row.gradient + at, row.x + at, geometry.inner, mean,
                 row.stats[1] * row.weight[c], correction.slope, correction.level);
  }
}

template <class T>
HWY_ATTR void row_norm_flush(double* totals, void* partial, std::int64_t n) {
  flush_partial(totals, static_cast<T*>(partial), n);
}

template <class T>
constexpr RowNormKernel row_norm_kernel = {row_norm_forward<T>, row_norm_backward<T>, row_norm_flush<T>};

RowNormKernel row_norm_kernel_of(DType dtype) {
  return dtype == DType::float64 ? row_norm_kernel<double> : row_norm_kernel<float>;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(row_norm_kernel_of);

void row_norm(const Tensor& out, const Tensor& stats, const Tensor& x, const Tensor& weight, const Tensor& bias,
              const RowNormGeometry& geometry) {
  const RowNormKernel kernel = HWY_DYNAMIC_DISPATCH(row_norm_kernel_of)(x.dtype());
  visit_floating(x.dtype(), [&]<class T>() {
    const std::int64_t parameters = geometry.groups * geometry.channels;
    const std::int64_t n = geometry.channels * geometry.inner;
    const Workspace workspace(static_cast<std::size_t>(2 * parameters) * sizeof(T));
    T* const weights = reinterpret_cast<T*>(workspace.get());
    T* const biases = weights + parameters;
    copy_or_fill(weights, weight, parameters, T{1});
    copy_or_fill(biases, bias, parameters, T{0});
    NormRow<T> row = {};
    row.geometry = &geometry;
    for (std::int64_t r = 0; r < geometry.rows; ++r) {
      const std::int64_t group = r % geometry.groups * geometry.channels;
      row.x = x.data<T>() + r * n;
      row.weight = weights + group;
      row.bias = biases + group;
      row.out = out.data<T>() + r * n;
      row.stats = stats.defined() ? stats.data<T>() + 2 * r : nullptr;
      kernel.forward(&row);
    }
  });
}

void row_norm_backward(const Tensor& x_gradient, const Tensor& weight_gradient, const Tensor& bias_gradient,
                       const Tensor& gradient, const Tensor& x, const Tensor& stats, const Tensor& weight,
                       const RowNormGeometry& geometry) {
  const RowNormKernel kernel = HWY_DYNAMIC_DISPATCH(row_norm_kernel_of)(x.dtype());
  visit_floating(x.dtype(), [&]<class T>() {
    const std::int64_t parameters = geometry.groups * geometry.channels;
    const std::int64_t n = geometry.channels * geometry.inner;
    const Workspace workspace(static_cast<std::size_t>(parameters) * (2 * sizeof(double) + 3 * sizeof(T)));
    double* const weight_totals = reinterpret_cast<double*>(workspace.get());
    double* const bias_totals = weight_totals + parameters;
    T* const weights = reinterpret_cast<T*>(bias_totals + parameters);
    T* const weight_partial = weights + parameters;
    T* const bias_partial = weight_partial + parameters;
    copy_or_fill(weights, weight, parameters, T{1});
    std::fill_n(weight_totals, 2 * parameters, 0.0);
    std::fill_n(weight_partial, 2 * parameters, T{0});
    NormRow<T> row = {};
    row.geometry = &geometry;
    for (std::int64_t r = 0; r < geometry.rows; ++r) {
      const std::int64_t group = r % geometry.groups * geometry.channels;
      row.x = x.data<T>() + r * n;
      row.weight = weights + group;
      row.stats = stats.data<T>() + 2 * r;
      row.gradient = gradient.data<T>() + r * n;
      row.x_gradient = x_gradient.defined() ? x_gradient.data<T>() + r * n : nullptr;
      if (weight_gradient.defined()) {
        row.partial_weight = weight_partial + group;
        row.total_weight = weight_totals + group;
      }
      if (bias_gradient.defined()) {
        row.partial_bias = bias_partial + group;
        row.total_bias = bias_totals + group;
      }
      kernel.backward(&row);
      if (r % (geometry.groups * rows_a_partial_sum) == 0 || r + 1 == geometry.rows) {
        kernel.flush(weight_totals, weight_partial, parameters);
        kernel.flush(bias_totals, bias_partial, parameters);
      }
    }
    if (weight_gradient.defined()) convert_totals<T>(weight_gradient, weight_totals);
    if (bias_gradient.defined()) convert_totals<T>(bias_gradient, bias_totals);
  });
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
