#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/attention_rows.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "tensor/cpu/attention_rows.hpp"
#include "tensor/cpu/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One row of scores by whole vectors, then one by one.
template <class T>
HWY_ATTR void weights_of_row(T* row, std::int64_t n, T scale, const T* mask, std::int64_t mask_step) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T nothing = -std::numeric_limits<T>::infinity();
  const bool vectors = mask == nullptr || mask_step == 1;
  const std::int64_t whole = vectors ? n / lanes * lanes : 0;
  auto largest_of = hn::Set(d, nothing);
  T largest = nothing;
  std::int64_t j = 0;
  for (; j < whole; j += lanes) {
    auto score = hn::Mul(hn::LoadU(d, row + j), hn::Set(d, scale));
    if (mask != nullptr) score = hn::Add(score, hn::LoadU(d, mask + j));
    hn::StoreU(score, d, row + j);
    largest_of = hn::Max(largest_of, score);
  }
  if (whole > 0) largest = hn::GetLane(hn::MaxOfLanes(d, largest_of));
  for (; j < n; ++j) {
    row[j] = row[j] * scale + (mask != nullptr ? mask[j * mask_step] : T{0});
    largest = std::max(largest, row[j]);
  }
  if (largest == nothing) {  // nothing to look at; a NaN among the scores goes on
    for (j = 0; j < n; ++j) row[j] = row[j] == nothing ? T{0} : row[j];
    return;
  }
  auto sum_of = hn::Zero(d);
  const std::int64_t end = n / lanes * lanes;
  for (j = 0; j < end; j += lanes) {
    const auto e = Exp()(d, hn::Sub(hn::LoadU(d, row + j), hn::Set(d, largest)));
    hn::StoreU(e, d, row + j);
    sum_of = hn::Add(sum_of, e);
  }
  T sum = end > 0 ? hn::GetLane(hn::SumOfLanes(d, sum_of)) : T{0};
  for (; j < n; ++j) {
    row[j] = hn::GetLane(Exp()(one, hn::Set(one, row[j] - largest)));
    sum += row[j];
  }
  const T factor = 1 / sum;
  for (j = 0; j < end; j += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, row + j), hn::Set(d, factor)), d, row + j);
  for (; j < n; ++j) row[j] *= factor;
}

template <class T>
HWY_ATTR void weights_of_rows(const AttentionRows<T>& r) {
  for (std::int64_t i = 0; i < r.rows; ++i) {
    T* row = r.scores + i * r.columns;
    const std::int64_t seen = r.causal ? std::min(i + 1, r.columns) : r.columns;
    weights_of_row(row, seen, r.scale, r.mask == nullptr ? nullptr : r.mask + i * r.mask_row, r.mask_column);
    std::fill(row + seen, row + r.columns, T{0});
  }
}

// g ← scale × y (g - Σ g y)
template <class T>
HWY_ATTR void back_of_rows(const T* weights, T* gradient, std::int64_t rows, std::int64_t columns, T scale) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t end = columns / lanes * lanes;
  for (std::int64_t i = 0; i < rows; ++i, weights += columns, gradient += columns) {
    auto sum_of = hn::Zero(d);
    std::int64_t j = 0;
    for (; j < end; j += lanes) sum_of = hn::MulAdd(hn::LoadU(d, weights + j), hn::LoadU(d, gradient + j), sum_of);
    T sum = end > 0 ? hn::GetLane(hn::SumOfLanes(d, sum_of)) : T{0};
    for (; j < columns; ++j) sum += weights[j] * gradient[j];
    for (j = 0; j < end; j += lanes) {
      const auto part = hn::Mul(hn::LoadU(d, weights + j), hn::Set(d, scale));
      hn::StoreU(hn::Mul(part, hn::Sub(hn::LoadU(d, gradient + j), hn::Set(d, sum))), d, gradient + j);
    }
    for (; j < columns; ++j) gradient[j] = scale * weights[j] * (gradient[j] - sum);
  }
}

void weights_floats(const AttentionRows<float>& rows) { weights_of_rows(rows); }
void weights_doubles(const AttentionRows<double>& rows) { weights_of_rows(rows); }
void back_floats(const float* weights, float* gradient, std::int64_t rows, std::int64_t columns, float scale) {
  back_of_rows(weights, gradient, rows, columns, scale);
}
void back_doubles(const double* weights, double* gradient, std::int64_t rows, std::int64_t columns, double scale) {
  back_of_rows(weights, gradient, rows, columns, scale);
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::cpu {
HWY_EXPORT(weights_floats);
HWY_EXPORT(weights_doubles);
HWY_EXPORT(back_floats);
HWY_EXPORT(back_doubles);

void attention_rows(const AttentionRows<float>& rows) { HWY_DYNAMIC_DISPATCH(weights_floats)(rows); }
void attention_rows(const AttentionRows<double>& rows) { HWY_DYNAMIC_DISPATCH(weights_doubles)(rows); }
void attention_rows_back(const float* weights, float* gradient, std::int64_t rows, std::int64_t columns,
                         float scale) {
  HWY_DYNAMIC_DISPATCH(back_floats)(weights, gradient, rows, columns, scale);
}
void attention_rows_back(const double* weights, double* gradient, std::int64_t rows, std::int64_t columns,
                         double scale) {
  HWY_DYNAMIC_DISPATCH(back_doubles)(weights, gradient, rows, columns, scale);
}

}  // namespace feral::cpu
#endif  // HWY_ONCE
