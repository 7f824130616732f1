// The vectors of a contiguous line, its rest filled up; compiled once an instruction set: include after
// hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_LINE_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_LINE_VECTORS_INL
#undef FERAL_TENSOR_CPU_LINE_VECTORS_INL
#else
#define FERAL_TENSOR_CPU_LINE_VECTORS_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "tensor/cpu/extreme-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class T = hn::TFromD<D>>
HWY_ATTR hn::Vec<D> load_first(D d, const T* from, std::size_t n, T rest) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(hn::Set(d, rest), d, lanes);
  for (std::size_t i = 0; i < n; ++i) lanes[i] = from[i];
  return hn::Load(d, lanes);
#else
  const auto mask = hn::FirstN(d, n);
  return hn::IfThenElse(mask, hn::MaskedLoad(mask, d, from), hn::Set(d, rest));
#endif
}

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store_first(D d, hn::Vec<D> v, T* to, std::size_t n) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < n; ++i) to[i] = lanes[i];
#else
  hn::BlendedStore(v, hn::FirstN(d, n), d, to);
#endif
}

// Calls step(vector, store) for whole vectors of a line and one for its rest, filled up with `rest`.
template <class T, class Step>
HWY_ATTR HWY_INLINE void for_each_vector(const T* x, std::int64_t n, T rest, const Step& step) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(hn::LoadU(d, x + i), i, lanes);
  if (i < n) step(load_first(d, x + i, static_cast<std::size_t>(n - i), rest), i, n - i);
}

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store_up_to(D d, hn::Vec<D> v, T* to, std::int64_t n) {
  if (n == static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(v, d, to);
  } else {
    store_first(d, v, to, static_cast<std::size_t>(n));
  }
}

// The first n lanes of v, 0 in the others.
template <class D>
HWY_ATTR hn::Vec<D> only_first(D d, hn::Vec<D> v, std::int64_t n) {
  if (n == static_cast<std::int64_t>(hn::Lanes(d))) return v;
  return hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n)), v);
}

// The largest element of a line that is not empty; a NaN where there is one.
template <class T>
HWY_ATTR T largest_of_line(const T* x, std::int64_t n) {
  const hn::ScalableTag<T> d;
  if (n > static_cast<std::int64_t>(hn::Lanes(d))) return extreme_of<Largest>(x, n);
  const auto v = load_first(d, x, static_cast<std::size_t>(n), -std::numeric_limits<T>::infinity());
  if (!hn::AllFalse(d, hn::IsNaN(v))) return std::numeric_limits<T>::quiet_NaN();
  return hn::GetLane(hn::MaxOfLanes(d, v));
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
