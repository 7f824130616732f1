// Largest and smallest of vectors, with NaN as PyTorch has it; compiled once an instruction set: include after
// hwy/foreach_target.h. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_TENSOR_CPU_EXTREME_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_TENSOR_CPU_EXTREME_INL
#undef FERAL_TENSOR_CPU_EXTREME_INL
#else
#define FERAL_TENSOR_CPU_EXTREME_INL
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace feral::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
constexpr bool is_number(T x) {
  return x == x;
}

struct Largest {
  template <class T>
  static constexpr T neutral() {
    return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  }
  template <class V>
  static HWY_ATTR V of(V a, V b) {
    return hn::Max(a, b);
  }
  template <class D, class V>
  static HWY_ATTR V of_lanes(D d, V v) {
    return hn::MaxOfLanes(d, v);
  }
  // Whether a is not beaten by b; false where either is a NaN.
  template <class V>
  static HWY_ATTR auto holds(V a, V b) {
    return hn::Ge(a, b);
  }
  template <class T>
  static bool beats(T a, T b) {
    return a > b;
  }
};

struct Smallest {
  template <class T>
  static constexpr T neutral() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class V>
  static HWY_ATTR V of(V a, V b) {
    return hn::Min(a, b);
  }
  template <class D, class V>
  static HWY_ATTR V of_lanes(D d, V v) {
    return hn::MinOfLanes(d, v);
  }
  template <class V>
  static HWY_ATTR auto holds(V a, V b) {
    return hn::Le(a, b);
  }
  template <class T>
  static bool beats(T a, T b) {
    return a < b;
  }
};

// What one scalar leaves of another: a NaN stays.
template <class Side, class T>
T better(T held, T x) {
  return is_number(held) && (!is_number(x) || Side::beats(x, held)) ? x : held;
}

// The extreme of a contiguous row; the last NaN where there is one.
template <class Side, class T>
HWY_ATTR T extreme_of(const T* x, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T best = Side::template neutral<T>();
  std::int64_t i = 0;
  if (n >= lanes) {
    auto best0 = hn::Set(d, best);
    auto best1 = best0;
    auto best2 = best0;
    auto best3 = best0;
    // Max and Min may drop a NaN; those are kept beside them.
    auto nan0 = hn::Zero(d);
    auto nan1 = nan0;
    const auto look = [&](std::int64_t at, auto& held, auto& nan) HWY_ATTR {
      const auto v = hn::LoadU(d, x + at);
      held = Side::of(held, v);
      if constexpr (std::is_floating_point_v<T>) nan = hn::IfThenElse(hn::IsNaN(v), v, nan);
    };
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      look(i, best0, nan0);
      look(i + lanes, best1, nan1);
      look(i + 2 * lanes, best2, nan0);
      look(i + 3 * lanes, best3, nan1);
    }
    for (; i + lanes <= n; i += lanes) look(i, best0, nan0);
    // The rest once more with elements that were seen.
    if (i < n) look(n - lanes, best1, nan1);
    if constexpr (std::is_floating_point_v<T>) {
      const auto nan = hn::IfThenElse(hn::IsNaN(nan0), nan0, nan1);
      if (!hn::AllFalse(d, hn::IsNaN(nan))) return std::numeric_limits<T>::quiet_NaN();
    }
    const auto held = Side::of(Side::of(best0, best1), Side::of(best2, best3));
    if constexpr (sizeof(T) >= 4) {
      return hn::GetLane(Side::of_lanes(d, held));
    } else {  // Highway has no such reduction for all targets
      HWY_ALIGN T last[hn::MaxLanes(d)];
      hn::Store(held, d, last);
      for (std::int64_t k = 0; k < lanes; ++k) best = Side::beats(last[k], best) ? last[k] : best;
      return best;
    }
  }
  for (; i < n; ++i) best = better<Side>(best, x[i]);
  return best;
}

}  // namespace feral::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
