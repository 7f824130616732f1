#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/adadelta.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/adadelta.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_ADADELTA_SCALARS
#define FERAL_OPTIM_ADADELTA_SCALARS
namespace feral::optim {

struct AdadeltaScalars {
  double sign, decay, rho, eps, lr;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct AdadeltaRule {
  static constexpr std::size_t count = 2;
  Vector<T> sign, decay, rho, rest, eps, lr;
  explicit HWY_INLINE AdadeltaRule(const AdadeltaScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        rho(broadcast<T>(s.rho)),
        rest(broadcast<T>(1 - s.rho)),
        eps(broadcast<T>(s.eps)),
        lr(broadcast<T>(-s.lr)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    state[0] = hn::MulAdd(rho, state[0], hn::Mul(hn::Mul(rest, g), g));
    const auto ratio = hn::Div(hn::Sqrt(hn::Add(state[1], eps)), hn::Sqrt(hn::Add(state[0], eps)));
    const auto delta = hn::Mul(ratio, g);
    state[1] = hn::MulAdd(rho, state[1], hn::Mul(hn::Mul(rest, delta), delta));
    parameter = hn::MulAdd(lr, delta, parameter);
  }
};

void adadelta_rule(const AdadeltaScalars& s, const Operands& o) { update_with<AdadeltaRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(adadelta_rule);

void check_adadelta(const AdadeltaOptions& o) {
  check_not_negative("Adadelta", "the learning rate", o.lr);
  check_fraction("Adadelta", "rho", o.rho);
  check_not_negative("Adadelta", "eps", o.eps);
  check_not_negative("Adadelta", "weight decay", o.weight_decay);
}

std::vector<StateKind> adadelta_kinds(const AdadeltaOptions& o) {
  static_cast<void>(o);
  return {{"square_avg"}, {"acc_delta"}};
}

}  // namespace

Adadelta::Adadelta(std::vector<Tensor> parameters, AdadeltaOptions options)
    : Adadelta(std::vector<Group>{{std::move(parameters), options}}) {}

Adadelta::Adadelta(const std::vector<Group>& groups)
    : GroupedOptimizer("Adadelta", check_adadelta, adadelta_kinds) {
  add_groups(groups);
}

void Adadelta::update(std::size_t number, std::uint64_t, const Operands& operands) {
  const AdadeltaOptions& o = options_[number];
  const AdadeltaScalars scalars{
      .sign = o.maximize ? -1.0 : 1.0, .decay = o.weight_decay, .rho = o.rho, .eps = o.eps, .lr = group(number).lr};
  HWY_DYNAMIC_DISPATCH(adadelta_rule)(scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
