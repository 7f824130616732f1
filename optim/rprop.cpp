#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/rprop.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/rprop.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_RPROP_SCALARS
#define FERAL_OPTIM_RPROP_SCALARS
namespace feral::optim {

struct RpropScalars {
  double sign, minus, plus, smallest, largest;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct RpropRule {
  static constexpr std::size_t count = 2;
  Vector<T> sign, minus, plus, smallest, largest;
  explicit HWY_INLINE RpropRule(const RpropScalars& s)
      : sign(broadcast<T>(s.sign)),
        minus(broadcast<T>(s.minus)),
        plus(broadcast<T>(s.plus)),
        smallest(broadcast<T>(s.smallest)),
        largest(broadcast<T>(s.largest)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto zero = hn::Zero(hn::ScalableTag<T>());
    const auto g = hn::Mul(sign, gradient);
    const auto agreement = hn::Mul(g, state[1]);
    const auto turned = hn::Lt(agreement, zero);
    const auto one = hn::Set(hn::ScalableTag<T>(), T{1});
    const auto factor = hn::IfThenElse(turned, minus, hn::IfThenElse(hn::Gt(agreement, zero), plus, one));
    state[0] = hn::Min(hn::Max(hn::Mul(state[0], factor), smallest), largest);
    state[1] = hn::IfThenElse(turned, zero, g);
    const auto step = hn::IfThenElse(hn::Eq(state[1], zero), zero, hn::CopySign(state[0], state[1]));
    parameter = hn::Sub(parameter, step);
  }
};

void rprop_rule(const RpropScalars& s, const Operands& o) { update_with<RpropRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(rprop_rule);

void check_rprop(const RpropOptions& o) {
  check_not_negative("Rprop", "the learning rate", o.lr);
  if (!(o.etaminus > 0 && o.etaminus < 1 && o.etaplus > 1)) {
    fail("Rprop: etas must be 0 < etaminus < 1 < etaplus, got {} and {}", o.etaminus, o.etaplus);
  }
  if (!(o.step_size_min >= 0 && o.step_size_min <= o.step_size_max)) {
    fail("Rprop: step sizes must be 0 <= smallest <= largest, got {} and {}", o.step_size_min, o.step_size_max);
  }
}

std::vector<StateKind> rprop_kinds(const RpropOptions& o) { return {{"step_size", o.lr}, {"prev"}}; }

}  // namespace

Rprop::Rprop(std::vector<Tensor> parameters, RpropOptions options)
    : Rprop(std::vector<Group>{{std::move(parameters), options}}) {}

Rprop::Rprop(const std::vector<Group>& groups) : GroupedOptimizer("Rprop", check_rprop, rprop_kinds) {
  add_groups(groups);
}

void Rprop::update(std::size_t number, std::uint64_t, const Operands& operands) {
  const RpropOptions& o = options_[number];
  const RpropScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                             .minus = o.etaminus,
                             .plus = o.etaplus,
                             .smallest = o.step_size_min,
                             .largest = o.step_size_max};
  HWY_DYNAMIC_DISPATCH(rprop_rule)(scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
