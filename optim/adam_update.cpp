#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/adam_update.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/adam_update.hpp"
#include "optim/update-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct AdamFactors {
  Vector<T> sign, keep, decay, beta1, rest1, beta2, rest2, root, eps, average, fresh;
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
        fresh(broadcast<T>(s.fresh)) {}

  HWY_INLINE Vector<T> decayed(Vector<T> parameter, Vector<T> gradient) const {
    return hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
  }
  HWY_INLINE void moments(Vector<T> g, Vector<T>& v, Vector<T>& m) const {
    v = hn::MulAdd(beta2, v, hn::Mul(hn::Mul(rest2, g), g));
    m = hn::MulAdd(beta1, m, hn::Mul(rest1, g));
  }
  HWY_INLINE Vector<T> moved(Vector<T> parameter, Vector<T> numerator, Vector<T> v) const {
    const auto denominator = hn::MulAdd(root, hn::Sqrt(v), eps);
    return hn::Sub(hn::Mul(keep, parameter), hn::Div(numerator, denominator));
  }
};

template <class T>
struct AdamRule : AdamFactors<T> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE AdamRule(const AdamScalars& s) : AdamFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    this->moments(this->decayed(parameter, gradient), state[0], state[1]);
    parameter = this->moved(parameter, hn::Mul(this->average, state[1]), state[0]);
  }
};

template <class T>
struct AMSGradRule : AdamFactors<T> {
  static constexpr std::size_t count = 3;
  explicit HWY_INLINE AMSGradRule(const AdamScalars& s) : AdamFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    this->moments(this->decayed(parameter, gradient), state[0], state[2]);
    state[1] = hn::Max(state[1], state[0]);
    parameter = this->moved(parameter, hn::Mul(this->average, state[2]), state[1]);
  }
};

template <class T>
struct FreshAdamRule : AdamFactors<T> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE FreshAdamRule(const AdamScalars& s) : AdamFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = this->decayed(parameter, gradient);
    this->moments(g, state[0], state[1]);
    parameter = this->moved(parameter, hn::MulAdd(this->average, state[1], hn::Mul(this->fresh, g)), state[0]);
  }
};

void adam_plain(const AdamScalars& s, const Operands& o) { update_with<AdamRule>(s, o); }
void adam_amsgrad(const AdamScalars& s, const Operands& o) { update_with<AMSGradRule>(s, o); }
void adam_fresh(const AdamScalars& s, const Operands& o) { update_with<FreshAdamRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace feral::optim {
namespace {

HWY_EXPORT(adam_plain);
HWY_EXPORT(adam_amsgrad);
HWY_EXPORT(adam_fresh);

}  // namespace

void adam_update(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_plain)(scalars, operands);
}

void adam_update_amsgrad(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_amsgrad)(scalars, operands);
}

void adam_update_fresh(const AdamScalars& scalars, const Operands& operands) {
  HWY_DYNAMIC_DISPATCH(adam_fresh)(scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
