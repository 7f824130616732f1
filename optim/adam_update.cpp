#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/adam_update.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include <cmath>

#include "optim/adam_update.hpp"
#include "optim/update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T, bool bounded>
struct AdamFactors {
  Vector<T> sign, keep, decay, beta1, rest1, beta2, rest2, root, eps, average, fresh, limit;
  explicit HWY_INLINE AdamFactors(const AdamScalars& s)
      : sign(broadcast<T>(s.sign)),
        keep(broadcast<T>(s.keep)),
        decay(broadcast<T>(s.decay)),
        beta1(broadcast<T>(s.beta1)),
        rest1(broadcast<T>(1 - s.beta1)),
        beta2(broadcast<T>(s.beta2)),
        rest2(broadcast<T>(1 - s.beta2)),
        root(broadcast<T>(s.root)),
        eps(broadcast<T>(s.eps)),
        average(broadcast<T>(s.average)),
        fresh(broadcast<T>(s.fresh)),
        limit(broadcast<T>(s.limit)) {}

  HWY_INLINE Vector<T> decayed(Vector<T> parameter, Vector<T> gradient) const {
    return hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
  }
  HWY_INLINE void moments(Vector<T> g, Vector<T>& v, Vector<T>& m) const {
    v = hn::MulAdd(beta2, v, hn::Mul(hn::Mul(rest2, g), g));
    m = hn::MulAdd(beta1, m, hn::Mul(rest1, g));
  }
  HWY_INLINE Vector<T> moved(Vector<T> parameter, Vector<T> numerator, Vector<T> v) const {
    const auto spread = hn::Sqrt(v);
    if constexpr (bounded) {
      const auto most = hn::Mul(limit, spread);
      numerator = hn::Min(hn::Max(numerator, hn::Neg(most)), most);
    }
    const auto denominator = hn::MulAdd(root, spread, eps);
    return hn::Sub(hn::Mul(keep, parameter), hn::Div(numerator, denominator));
  }
};

template <class T, bool bounded>
struct AdamRuleOf : AdamFactors<T, bounded> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE AdamRuleOf(const AdamScalars& s) : AdamFactors<T, bounded>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    this->moments(this->decayed(parameter, gradient), state[0], state[1]);
    parameter = this->moved(parameter, hn::Mul(this->average, state[1]), state[0]);
  }
};

template <class T, bool bounded>
struct AMSGradRuleOf : AdamFactors<T, bounded> {
  static constexpr std::size_t count = 3;
  explicit HWY_INLINE AMSGradRuleOf(const AdamScalars& s) : AdamFactors<T, bounded>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    this->moments(this->decayed(parameter, gradient), state[0], state[2]);
    state[1] = hn::Max(state[1], state[0]);
    parameter = this->moved(parameter, hn::Mul(this->average, state[2]), state[1]);
  }
};

template <class T, bool bounded>
struct FreshAdamRuleOf : AdamFactors<T, bounded> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE FreshAdamRuleOf(const AdamScalars& s) : AdamFactors<T, bounded>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = this->decayed(parameter, gradient);
    this->moments(g, state[0], state[1]);
    parameter = this->moved(parameter, hn::MulAdd(this->average, state[1], hn::Mul(this->fresh, g)), state[0]);
  }
};

template <class T>
using AdamRule = AdamRuleOf<T, false>;
template <class T>
using BoundedAdamRule = AdamRuleOf<T, true>;
template <class T>
using AMSGradRule = AMSGradRuleOf<T, false>;
template <class T>
using BoundedAMSGradRule = AMSGradRuleOf<T, true>;
template <class T>
using FreshAdamRule = FreshAdamRuleOf<T, false>;
template <class T>
using BoundedFreshAdamRule = FreshAdamRuleOf<T, true>;

void adam_plain(const AdamScalars& s, const Operands& o) {
  o.shared ? update_with<BoundedAdamRule>(s, o) : update_with<AdamRule>(s, o);
}
void adam_amsgrad(const AdamScalars& s, const Operands& o) {
  o.shared ? update_with<BoundedAMSGradRule>(s, o) : update_with<AMSGradRule>(s, o);
}
void adam_fresh(const AdamScalars& s, const Operands& o) {
  o.shared ? update_with<BoundedFreshAdamRule>(s, o) : update_with<FreshAdamRule>(s, o);
}

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::optim {
namespace {

HWY_EXPORT(adam_plain);
HWY_EXPORT(adam_amsgrad);
HWY_EXPORT(adam_fresh);

// How large the numerator may be, in square roots of v.
AdamScalars limited(AdamScalars s) {
  constexpr double slack = 2;
  constexpr double without_limit = 1e30;  // finite: 0 times it is 0
  const double rest2 = 1 - s.beta2;
  const double of_average = s.beta1 * s.beta1 < s.beta2
                                ? (1 - s.beta1) / std::sqrt(rest2 * (1 - s.beta1 * s.beta1 / s.beta2))
                                : without_limit;
  s.limit = std::min(slack * (s.average * of_average + s.fresh / std::sqrt(rest2)), without_limit);
  return s;
}

}  // namespace

void adam_update(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_plain)(operands.shared ? limited(scalars) : scalars, operands);
}

void adam_update_amsgrad(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_amsgrad)(operands.shared ? limited(scalars) : scalars, operands);
}

void adam_update_fresh(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_fresh)(operands.shared ? limited(scalars) : scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
