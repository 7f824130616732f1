#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/asgd.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/asgd.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_ASGD_SCALARS
#define FERAL_OPTIM_ASGD_SCALARS
namespace feral::optim {

struct ASGDScalars {
  double sign, decay, keep, eta, mu;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct ASGDRule {
  static constexpr std::size_t count = 1;
  Vector<T> sign, decay, keep, eta, mu;
  explicit HWY_INLINE ASGDRule(const ASGDScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        keep(broadcast<T>(s.keep)),
        eta(broadcast<T>(-s.eta)),
        mu(broadcast<T>(s.mu)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    parameter = hn::MulAdd(eta, g, hn::Mul(keep, parameter));
    state[0] = hn::MulAdd(mu, hn::Sub(parameter, state[0]), state[0]);
  }
};

void asgd_rule(const ASGDScalars& s, const Operands& o) { update_with<ASGDRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(asgd_rule);

void check_asgd(const ASGDOptions& o) {
  check_not_negative("ASGD", "the learning rate", o.lr);
  check_not_negative("ASGD", "lambd", o.lambd);
  check_not_negative("ASGD", "weight decay", o.weight_decay);
  if (!std::isfinite(o.alpha) || std::isnan(o.t0)) fail("ASGD: alpha {} and t0 {} must be numbers", o.alpha, o.t0);
}

std::vector<StateKind> asgd_kinds(const ASGDOptions& o) {
  static_cast<void>(o);
  return {{"ax"}};
}

}  // namespace

ASGD::ASGD(std::vector<Tensor> parameters, ASGDOptions options)
    : ASGD(std::vector<Group>{{std::move(parameters), options}}) {}

ASGD::ASGD(const std::vector<Group>& groups) : GroupedOptimizer("ASGD", check_asgd, asgd_kinds) {
  add_groups(groups);
}

void ASGD::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const ASGDOptions& o = options_[number];
  const double lr = group(number).lr;
  const auto before = static_cast<double>(count - 1);
  const double eta = lr / std::pow(1 + o.lambd * lr * before, o.alpha);
  // The first step's mean is of one value; from step t0 + 1 on of count - 1 - t0.
  const double mu = count == 1 ? 1 : 1 / std::max(1.0, before - o.t0);
  const ASGDScalars scalars{
      .sign = o.maximize ? -1.0 : 1.0, .decay = o.weight_decay, .keep = 1 - o.lambd * eta, .eta = eta, .mu = mu};
  HWY_DYNAMIC_DISPATCH(asgd_rule)(scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
