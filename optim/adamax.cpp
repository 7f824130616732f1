#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/adamax.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/adamax.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_ADAMAX_SCALARS
#define FERAL_OPTIM_ADAMAX_SCALARS
namespace feral::optim {

struct AdamaxScalars {
  double sign, decay, beta1, beta2, eps, lr;
  double limit;  // of the quotient
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct AdamaxRule {
  static constexpr std::size_t count = 2;
  Vector<T> sign, decay, beta1, rest1, beta2, eps, lr, limit;
  explicit HWY_INLINE AdamaxRule(const AdamaxScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        beta1(broadcast<T>(s.beta1)),
        rest1(broadcast<T>(1 - s.beta1)),
        beta2(broadcast<T>(s.beta2)),
        eps(broadcast<T>(s.eps)),
        lr(broadcast<T>(-s.lr)),
        limit(broadcast<T>(s.limit)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    state[0] = hn::Max(hn::Mul(beta2, state[0]), hn::Add(hn::Abs(g), eps));
    state[1] = hn::MulAdd(beta1, state[1], hn::Mul(rest1, g));
    const auto quotient = hn::Min(hn::Max(hn::Div(state[1], state[0]), hn::Neg(limit)), limit);
    parameter = hn::MulAdd(lr, quotient, parameter);
  }
};

void adamax_rule(const AdamaxScalars& s, const Operands& o) { update_with<AdamaxRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(adamax_rule);

void check_adamax(const AdamaxOptions& o) {
  check_not_negative("Adamax", "the learning rate", o.lr);
  check_betas("Adamax", o.betas);
  check_not_negative("Adamax", "eps", o.eps);
  check_not_negative("Adamax", "weight decay", o.weight_decay);
}

std::vector<StateKind> adamax_kinds(const AdamaxOptions& o) {
  static_cast<void>(o);
  return {{"exp_inf"}, {"exp_avg"}};
}

}  // namespace

Adamax::Adamax(std::vector<Tensor> parameters, AdamaxOptions options)
    : Adamax(std::vector<Group>{{std::move(parameters), options}}) {}

Adamax::Adamax(const std::vector<Group>& groups) : GroupedOptimizer("Adamax", check_adamax, adamax_kinds) {
  add_groups(groups);
}

void Adamax::set_momentum(double momentum) {
  check_fraction("Adamax", "the first of betas", momentum);
  for (AdamaxOptions& o : options_) o.betas.first = momentum;
}

void Adamax::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const AdamaxOptions& o = options_[number];
  const auto& correction = corrections_.get(number, count, o.betas.first, o.betas.second);
  // Shared states race: a first moment may stand beside another worker's norm, which knows nothing of its
  // gradients. Of whole steps in any order the quotient is at most (1 - beta1) / (1 - beta1 / beta2), where beta1 <
  // beta2.
  constexpr double without_limit = 1e30;
  const bool bounded = operands.shared && o.betas.first < o.betas.second;
  const AdamaxScalars scalars{
      .sign = o.maximize ? -1.0 : 1.0,
      .decay = o.weight_decay,
      .beta1 = o.betas.first,
      .beta2 = o.betas.second,
      .eps = o.eps,
      .lr = group(number).lr / correction.first,
      .limit = bounded ? 2 * (1 - o.betas.first) / (1 - o.betas.first / o.betas.second) : without_limit};
  HWY_DYNAMIC_DISPATCH(adamax_rule)(scalars, operands);
}

}  // namespace feral::optim
#endif  // HWY_ONCE
