// What the normalization kernels share, compiled once an instruction set: include after hwy/foreach_target.h. Has
// Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_NORMALIZATION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_NORMALIZATION_INL
#undef FERAL_TENSOR_CPU_NORMALIZATION_INL
#else
#define FERAL_TENSOR_CPU_NORMALIZATION_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "tensor/cpu/rows-inl.hpp"
#include "tensor/cpu/sum_fold-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// How many elements of a vector a loop's body works on: a number only at the end of a row.
struct WholeVector {};
struct PartOfVector {
  std::size_t count;
};

template <class D, class T = hn::TFromD<D>>
HWY_ATTR HWY_INLINE hn::Vec<D> load_part(D d, const T* from, WholeVector) {
  return hn::LoadU(d, from);
}
template <class D, class T = hn::TFromD<D>>
HWY_ATTR HWY_INLINE hn::Vec<D> load_part(D d, const T* from, PartOfVector part) {
  return load_some(d, from, part.count, 1);  // 0 in the other lanes
}
template <class D, class T = hn::TFromD<D>>
HWY_ATTR HWY_INLINE void store_part(D d, hn::Vec<D> v, T* to, WholeVector) {
  hn::StoreU(v, d, to);
}
template <class D, class T = hn::TFromD<D>>
HWY_ATTR HWY_INLINE void store_part(D d, hn::Vec<D> v, T* to, PartOfVector part) {
  store_some(d, v, to, part.count, 1);
}

// body(i, part) for the vectors of a row of n elements.
template <class D, class Body>
HWY_ATTR HWY_INLINE void each_vector(D d, std::int64_t n, const Body& body) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, WholeVector());
  if (i < n) body(i, PartOfVector{static_cast<std::size_t>(n - i)});
}

// The Map of a sum of squared distances from a mean.
struct SquaredDistance {
  static constexpr bool parametrized = true;
  template <class D, class V>
  HWY_ATTR V operator()(D, V x, V mean) const {
    const V distance = hn::Sub(x, mean);
    return hn::Mul(distance, distance);
  }
};

// Sums over a stretch of g and of g * (x - mean).
struct GradientSums {
  double plain = 0;
  double weighted = 0;
};

template <class T>
HWY_ATTR void add_gradient_sums(GradientSums& sums, const T* g, const T* x, std::int64_t n, T mean) {
  const hn::ScalableTag<T> d;
  const auto middle = hn::Set(d, mean);
  const std::int64_t piece = 256 * static_cast<std::int64_t>(hn::Lanes(d));  // short: float32 sums stay accurate
  for (std::int64_t start = 0; start < n; start += piece) {
    auto plain = hn::Zero(d);
    auto weighted = hn::Zero(d);
    // A lane beyond the end holds g = 0 and adds nothing.
    each_vector(d, HWY_MIN(piece, n - start), [&](std::int64_t i, auto part) HWY_ATTR {
      const auto arriving = load_part(d, g + start + i, part);
      plain = hn::Add(plain, arriving);
      weighted = hn::MulAdd(arriving, hn::Sub(load_part(d, x + start + i, part), middle), weighted);
    });
    sums.plain += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, plain)));
    sums.weighted += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, weighted)));
  }
}

// out = (x - mean) * scale + shift
template <class T>
HWY_ATTR void normalize_run(T* out, const T* x, std::int64_t n, T mean, T scale, T shift) {
  const hn::ScalableTag<T> d;
  const auto middle = hn::Set(d, mean);
  const auto factor = hn::Set(d, scale);
  const auto end = hn::Set(d, shift);
  each_vector(d, n, [&](std::int64_t i, auto part) HWY_ATTR {
    const auto distance = hn::Sub(load_part(d, x + i, part), middle);
    store_part(d, hn::MulAdd(distance, factor, end), out + i, part);
  });
}

// out = g * scale - (x - mean) * slope - level
template <class T>
HWY_ATTR void gradient_run(T* out, const T* g, const T* x, std::int64_t n, T mean, T scale, T slope, T level) {
  const hn::ScalableTag<T> d;
  const auto middle = hn::Set(d, mean);
  const auto factor = hn::Set(d, scale);
  const auto steep = hn::Set(d, slope);
  const auto lower = hn::Set(d, level);
  each_vector(d, n, [&](std::int64_t i, auto part) HWY_ATTR {
    const auto distance = hn::Sub(load_part(d, x + i, part), middle);
    const auto own = hn::MulSub(load_part(d, g + i, part), factor, lower);
    store_part(d, hn::NegMulAdd(distance, steep, own), out + i, part);
  });
}

// Adds `partial`, which becomes 0, to the totals.
template <class T>
HWY_ATTR void flush_partial(double* totals, T* partial, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) {
    totals[j] += static_cast<double>(partial[j]);
    partial[j] = 0;
  }
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
