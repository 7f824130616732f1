// The one loop behind every update rule, compiled once an instruction set: include after hwy/foreach_target.h,
// inside HWY_BEFORE_NAMESPACE's reach. Has Highway's toggle instead of a plain include guard.
#if defined(FERAL_OPTIM_UPDATE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FERAL_OPTIM_UPDATE_INL
#undef FERAL_OPTIM_UPDATE_INL
#else
#define FERAL_OPTIM_UPDATE_INL
#endif

#include <hwy/highway.h>

#include <atomic>
#include <cstddef>
#include <cstring>

#include "optim/operands.hpp"
#include "tensor/cpu/rows-inl.hpp"
#include "tensor/racy.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

template <class T>
HWY_INLINE Vector<T> broadcast(double value) {
  return hn::Set(hn::ScalableTag<T>(), static_cast<T>(value));
}

// Up to a vector of memory that other processes may write. Lanes past n are 0.
template <class D, class T = hn::TFromD<D>>
HWY_ATTR hn::Vec<D> load_live(D d, const T* from, std::size_t n) {
#ifdef FERAL_RACY_ATOMICS
  HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
  for (std::size_t i = 0; i < n; ++i) lanes[i] = racy_load(from + i);
  return hn::Load(d, lanes);
#else
  return cpu::HWY_NAMESPACE::load_some(d, from, n, 1);
#endif
}

template <class D, class T = hn::TFromD<D>>
HWY_ATTR void store_live(D d, hn::Vec<D> v, T* to, std::size_t n) {
#ifdef FERAL_RACY_ATOMICS
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < n; ++i) racy_store(to + i, lanes[i]);
#else
  cpu::HWY_NAMESPACE::store_some(d, v, to, n, 1);
#endif
}

// A Rule for elements of T has the number of states that it keeps, `count`, and
//   operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* states) const
// which turns the values of one step into those of the next. Each element is read once and then written once: the
// states in their order, after them the parameter. The order is what a process killed in between relies on
// (optimizer.hpp), so the compiler must keep it.
template <class T, class Rule>
HWY_ATTR void update_block(const Rule& given_rule, T* parameter, const T* gradient, T* const* given_states,
                           std::size_t width) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  // Copies that no store in the loop can change: they stay in registers.
  const Rule rule = given_rule;
  T* states[Rule::count == 0 ? 1 : Rule::count];
  for (std::size_t k = 0; k < Rule::count; ++k) states[k] = given_states[k];
  Vector<T> state[Rule::count == 0 ? 1 : Rule::count];
  std::size_t i = 0;
#ifndef FERAL_RACY_ATOMICS
  for (; i + lanes <= width; i += lanes) {
    auto value = hn::LoadU(d, parameter + i);
    for (std::size_t k = 0; k < Rule::count; ++k) state[k] = hn::LoadU(d, states[k] + i);
    rule(value, hn::LoadU(d, gradient + i), state);
    for (std::size_t k = 0; k < Rule::count; ++k) {
      hn::StoreU(state[k], d, states[k] + i);
      std::atomic_signal_fence(std::memory_order_release);
    }
    hn::StoreU(value, d, parameter + i);
  }
#endif
  for (; i < width; i += lanes) {
    const std::size_t n = HWY_MIN(lanes, width - i);
    auto value = load_live(d, parameter + i, n);
    for (std::size_t k = 0; k < Rule::count; ++k) state[k] = load_live(d, states[k] + i, n);
    rule(value, load_live(d, gradient + i, n), state);
    for (std::size_t k = 0; k < Rule::count; ++k) {
      store_live(d, state[k], states[k] + i, n);
      std::atomic_signal_fence(std::memory_order_release);
    }
    store_live(d, value, parameter + i, n);
  }
}

// The same loop for an update whose losses are counted. Apart from the one above, which it must cost nothing.
template <class T, class Rule>
HWY_ATTR HWY_NOINLINE void update_metered(const Rule& rule, T* parameter, const T* gradient, T* const* states,
                                          std::size_t width, UpdateMeter& meter) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  Vector<T> state[Rule::count == 0 ? 1 : Rule::count];
  HWY_ALIGN T before[hn::MaxLanes(hn::ScalableTag<T>())];
  HWY_ALIGN T after[hn::MaxLanes(hn::ScalableTag<T>())];
  std::size_t next = meter.next;
  for (std::size_t i = 0; i < width; i += lanes) {
    const std::size_t n = HWY_MIN(lanes, width - i);
    auto value = load_live(d, parameter + i, n);
    hn::Store(value, d, before);
    for (std::size_t k = 0; k < Rule::count; ++k) state[k] = load_live(d, states[k] + i, n);
    rule(value, load_live(d, gradient + i, n), state);
    for (std::size_t k = 0; k < Rule::count; ++k) {
      store_live(d, state[k], states[k] + i, n);
      std::atomic_signal_fence(std::memory_order_release);
    }
    if (next >= n) {
      store_live(d, value, parameter + i, n);
      next -= n;
      continue;
    }
    hn::Store(value, d, after);
    for (std::size_t k = 0; k < n; ++k) {
      if (k != next) {
        racy_store(parameter + i + k, after[k]);
        continue;
      }
      const T found = std::atomic_ref<T>(parameter[i + k]).exchange(after[k], std::memory_order_relaxed);
      ++meter.metered;
      meter.lost += std::memcmp(&found, &before[k], sizeof(T)) != 0 ? 1U : 0U;
      next += meter.spacing;
    }
    next -= n;
  }
  meter.next = next;
}

// A whole parameter, or its rows, metered.
template <class T, class Rule>
HWY_ATTR HWY_NOINLINE void update_all_metered(const Rule& rule, const Operands& o) {
  T* const parameter = reinterpret_cast<T*>(o.parameter);
  const T* const gradient = reinterpret_cast<const T*>(o.gradient);
  const std::size_t blocks = o.rows == nullptr ? 1 : o.row_count;
  for (std::size_t r = 0; r < blocks; ++r) {
    const std::size_t start = o.rows == nullptr ? 0 : static_cast<std::size_t>(o.rows[r]) * o.width;
    T* states[max_states];
    for (std::size_t k = 0; k < Rule::count; ++k) states[k] = reinterpret_cast<T*>(o.states[k]) + start;
    update_metered<T>(rule, parameter + start, gradient + r * o.width, states, o.width, *o.meter);
  }
}

// A whole parameter, or its rows.
template <class T, class Rule>
HWY_ATTR void update_all(const Rule& rule, const Operands& o) {
  if (o.meter != nullptr) return update_all_metered<T>(rule, o);
  T* const parameter = reinterpret_cast<T*>(o.parameter);
  const T* const gradient = reinterpret_cast<const T*>(o.gradient);
  T* states[max_states];
  for (std::size_t k = 0; k < Rule::count; ++k) states[k] = reinterpret_cast<T*>(o.states[k]);
  if (o.rows == nullptr) return update_block<T>(rule, parameter, gradient, states, o.width);
  for (std::size_t r = 0; r < o.row_count; ++r) {
    const std::size_t start = static_cast<std::size_t>(o.rows[r]) * o.width;
    T* row_states[max_states];
    for (std::size_t k = 0; k < Rule::count; ++k) row_states[k] = states[k] + start;
    update_block<T>(rule, parameter + start, gradient + r * o.width, row_states, o.width);
  }
}

// Rule<T> of the operands' type, made from `scalars`, over all of them.
template <template <class> class Rule, class Scalars>
HWY_ATTR void update_with(const Scalars& scalars, const Operands& o) {
  if (o.dtype == DType::float64) {
    update_all<double>(Rule<double>(scalars), o);
  } else {
    update_all<float>(Rule<float>(scalars), o);
  }
}

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // FERAL_OPTIM_UPDATE_INL
