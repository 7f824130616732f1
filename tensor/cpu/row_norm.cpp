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

// Short rows are done together, so that one row's sums are under way while another's are turned into its scale;
// long ones one by one, while they are in the cache.
inline constexpr std::int64_t norm_rows_at_once = 4;
inline constexpr std::size_t norm_short_row_bytes = 8192;

struct RowNormKernel {
  void (*forward)(const void* rows, std::int64_t count);
  void (*backward)(const void* rows, std::int64_t count);
  void (*flush)(double* totals, void* partial, std::int64_t n);
};

}  // namespace feral::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A row normalized by its mean and scale.
template <class T>
HWY_ATTR void row_norm_write(const NormRow<T>& row, T mean, T scale) {
  const RowNormGeometry& geometry = *row.geometry;
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
  // In variables of their own: the stores might change what lies behind a reference.
  const T* const x = row.x;
  const T* const weight = row.weight;
  const T* const bias = row.bias;
  T* const out = row.out;
  each_vector(d, geometry.channels, [=](std::int64_t i, auto part) HWY_ATTR {
    const auto normal = hn::Mul(hn::Sub(load_part(d, x + i, part), middle), factor);
    store_part(d, hn::MulAdd(normal, load_part(d, weight + i, part), load_part(d, bias + i, part)), out + i, part);
  });
}

template <class T>
HWY_ATTR void row_norm_forward(const void* argument, std::int64_t rows) {
  const auto* const row = static_cast<const NormRow<T>*>(argument);
  const RowNormGeometry& geometry = *row->geometry;
  const std::int64_t n = geometry.channels * geometry.inner;
  const auto count = static_cast<double>(n);
  T means[norm_rows_at_once];
  T scales[norm_rows_at_once];
  for (std::int64_t k = 0; k < rows; ++k) {
    means[k] = geometry.centered ? static_cast<T>(sum_contiguous<Identity, T>(row[k].x, n, T{0}) / count) : T{0};
  }
  for (std::int64_t k = 0; k < rows; ++k) {
    const double variance = sum_contiguous<SquaredDistance, T>(row[k].x, n, means[k]) / count;
    scales[k] = static_cast<T>(1 / std::sqrt(variance + geometry.eps));
  }
  for (std::int64_t k = 0; k < rows; ++k) {
    if (row[k].stats != nullptr) {
      row[k].stats[0] = means[k];
      row[k].stats[1] = scales[k];
    }
    row_norm_write(row[k], means[k], scales[k]);
  }
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

// Sums over a row of its gradient times the weights, and of that times the distance from the mean.
struct NormRowSums {
  double plain = 0;
  double weighted = 0;
};

// The sums of one row, or of two when `pair`, whose weights are the same: columns with a weight each.
template <bool pair, class T>
HWY_ATTR void row_norm_column_sums(const NormRow<T>* row, NormRowSums* sums) {
  const hn::ScalableTag<T> d;
  const NormRow<T>& first = row[0];
  const NormRow<T>& second = row[pair ? 1 : 0];
  const std::int64_t n = first.geometry->channels;
  // In variables of their own: the stores might change what lies behind a reference.
  const T* const weights = first.weight;
  const T* const x = first.x;
  const T* const gradient = first.gradient;
  const T* const second_x = second.x;
  const T* const second_gradient = second.gradient;
  T* const weight_sums = first.partial_weight;
  T* const bias_sums = first.partial_bias;
  const auto middle = hn::Set(d, first.stats[0]);
  const auto second_middle = hn::Set(d, second.stats[0]);
  const auto factor = hn::Set(d, first.stats[1]);
  const auto second_factor = hn::Set(d, second.stats[1]);
  const std::int64_t piece = 256 * static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t start = 0; start < n; start += piece) {
    auto sum = hn::Zero(d);
    auto weighted = hn::Zero(d);
    auto second_sum = hn::Zero(d);
    auto second_weighted = hn::Zero(d);
    each_vector(d, HWY_MIN(piece, n - start), [&](std::int64_t i, auto part) HWY_ATTR {
      const std::int64_t j = start + i;
      const auto weight = load_part(d, weights + j, part);
      const auto arriving = load_part(d, gradient + j, part);
      const auto distance = hn::Sub(load_part(d, x + j, part), middle);
      auto of_weight = hn::Mul(arriving, hn::Mul(distance, factor));
      auto of_bias = arriving;
      const auto own = hn::Mul(arriving, weight);
      sum = hn::Add(sum, own);
      weighted = hn::MulAdd(own, distance, weighted);
      if constexpr (pair) {
        const auto other = load_part(d, second_gradient + j, part);
        const auto other_distance = hn::Sub(load_part(d, second_x + j, part), second_middle);
        of_weight = hn::MulAdd(other, hn::Mul(other_distance, second_factor), of_weight);
        of_bias = hn::Add(of_bias, other);
        const auto other_own = hn::Mul(other, weight);
        second_sum = hn::Add(second_sum, other_own);
        second_weighted = hn::MulAdd(other_own, other_distance, second_weighted);
      }
      if (weight_sums != nullptr) {
        T* const at = weight_sums + j;
        store_part(d, hn::Add(of_weight, load_part(d, at, part)), at, part);
      }
      if (bias_sums != nullptr) {
        T* const at = bias_sums + j;
        store_part(d, hn::Add(of_bias, load_part(d, at, part)), at, part);
      }
    });
    sums[0].plain += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
    sums[0].weighted += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, weighted)));
    if constexpr (pair) {
      sums[1].plain += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, second_sum)));
      sums[1].weighted += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, second_weighted)));
    }
  }
}

template <class T>
HWY_ATTR void row_norm_backward_columns(const NormRow<T>* row, std::int64_t rows) {
  const hn::ScalableTag<T> d;
  NormRowSums sums[norm_rows_at_once];
  std::int64_t k = 0;
  for (; k + 2 <= rows && row[k].weight == row[k + 1].weight; k += 2) row_norm_column_sums<true>(row + k, sums + k);
  for (; k < rows; ++k) row_norm_column_sums<false>(row + k, sums + k);
  if (row->x_gradient == nullptr) return;
  for (k = 0; k < rows; ++k) {
    const NormRow<T>& one = row[k];
    const NormCorrection<T> correction = norm_correction(one, sums[k].plain, sums[k].weighted);
    const auto middle = hn::Set(d, one.stats[0]);
    const auto factor = hn::Set(d, one.stats[1]);
    const auto slope = hn::Set(d, correction.slope);
    const auto level = hn::Set(d, correction.level);
    const T* const x = one.x;
    const T* const weight = one.weight;
    const T* const gradient = one.gradient;
    T* const out = one.x_gradient;
    each_vector(d, one.geometry->channels, [=](std::int64_t i, auto part) HWY_ATTR {
      const auto own = hn::Mul(load_part(d, gradient + i, part), load_part(d, weight + i, part));
      const auto distance = hn::Sub(load_part(d, x + i, part), middle);
      store_part(d, hn::NegMulAdd(distance, slope, hn::MulSub(own, factor, level)), out + i, part);
    });
  }
}

// Channels of several elements each.
template <class T>
HWY_ATTR void row_norm_backward_runs(const NormRow<T>& row) {
  const RowNormGeometry& geometry = *row.geometry;
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
HWY_ATTR void row_norm_backward(const void* argument, std::int64_t rows) {
  const auto* const row = static_cast<const NormRow<T>*>(argument);
  if (row->geometry->inner == 1) {
    row_norm_backward_columns(row, rows);
  } else {
    for (std::int64_t k = 0; k < rows; ++k) row_norm_backward_runs(row[k]);
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
    const std::int64_t together =
        static_cast<std::size_t>(n) * sizeof(T) <= norm_short_row_bytes ? norm_rows_at_once : 1;
    for (std::int64_t first = 0; first < geometry.rows; first += together) {
      const std::int64_t count = std::min(together, geometry.rows - first);
      NormRow<T> rows[norm_rows_at_once] = {};
      for (std::int64_t k = 0; k < count; ++k) {
        const std::int64_t r = first + k;
        const std::int64_t group = r % geometry.groups * geometry.channels;
        rows[k].geometry = &geometry;
        rows[k].x = x.data<T>() + r * n;
        rows[k].weight = weights + group;
        rows[k].bias = biases + group;
        rows[k].out = out.data<T>() + r * n;
        rows[k].stats = stats.defined() ? stats.data<T>() + 2 * r : nullptr;
      }
      kernel.forward(rows, count);
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
    const std::int64_t rows_before_flush = rows_a_partial_sum * geometry.groups;  // a multiple of those at once
    static_assert(rows_a_partial_sum % norm_rows_at_once == 0);
    const std::int64_t together =
        static_cast<std::size_t>(n) * sizeof(T) <= norm_short_row_bytes ? norm_rows_at_once : 1;
    for (std::int64_t first = 0; first < geometry.rows; first += together) {
      const std::int64_t count = std::min(together, geometry.rows - first);
      NormRow<T> rows[norm_rows_at_once] = {};
      for (std::int64_t k = 0; k < count; ++k) {
        const std::int64_t r = first + k;
        const std::int64_t group = r % geometry.groups * geometry.channels;
        rows[k].geometry = &geometry;
        rows[k].x = x.data<T>() + r * n;
        rows[k].weight = weights + group;
        rows[k].stats = stats.data<T>() + 2 * r;
        rows[k].gradient = gradient.data<T>() + r * n;
        rows[k].x_gradient = x_gradient.defined() ? x_gradient.data<T>() + r * n : nullptr;
        if (weight_gradient.defined()) {
          rows[k].partial_weight = weight_partial + group;
          rows[k].total_weight = weight_totals + group;
        }
        if (bias_gradient.defined()) {
          rows[k].partial_bias = bias_partial + group;
          rows[k].total_bias = bias_totals + group;
        }
      }
      kernel.backward(rows, count);
      const std::int64_t done = first + count;
      if (done % rows_before_flush == 0 || done == geometry.rows) {
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
