#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/adagrad.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/adagrad.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_ADAGRAD_SCALARS
#define FERAL_OPTIM_ADAGRAD_SCALARS
namespace feral::optim {

struct AdagradScalars {
  double sign, decay, eps, lr;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct AdagradRule {
  static constexpr std::size_t count = 1;
  Vector<T> sign, decay, eps, lr;
  explicit HWY_INLINE AdagradRule(const AdagradScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        eps(broadcast<T>(s.eps)),
        lr(broadcast<T>(-s.lr)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    state[0] = hn::MulAdd(g, g, state[0]);
    parameter = hn::MulAdd(lr, hn::Div(g, hn::Add(hn::Sqrt(state[0]), eps)), parameter);
  }
};

void adagrad_rule(const AdagradScalars& s, const Operands& o) { update_with<AdagradRule>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(adagrad_rule);

void check_adagrad(const AdagradOptions& o) {
  check_not_negative("Adagrad", "the learning rate", o.lr);
  check_not_negative("Adagrad", "lr decay", o.lr_decay);
  check_not_negative("Adagrad", "weight decay", o.weight_decay);
  check_not_negative("Adagrad", "initial_accumulator_value", o.initial_accumulator_value);
  check_not_negative("Adagrad", "eps", o.eps);
}

std::vector<StateKind> adagrad_kinds(const AdagradOptions& o) { return {{"sum", o.initial_accumulator_value}}; }

}  // namespace

Adagrad::Adagrad(std::vector<Tensor> parameters, AdagradOptions options)
    : Adagrad(std::vector<Group>{{std::move(parameters), options}}) {}

Adagrad::Adagrad(const std::vector<Group>& groups) : GroupedOptimizer("Adagrad", check_adagrad, adagrad_kinds) {
  add_groups(groups);
}

void Adagrad::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const AdagradOptions& o = options_[number];
  const AdagradScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                               .decay = o.weight_decay,
                               .eps = o.eps,
                               .lr = group(number).lr / (1 + static_cast<double>(count - 1) * o.lr_decay)};
  HWY_DYNAMIC_DISPATCH(adagrad_rule)(scalars, operands);
}

const char* Adagrad::refuses_rows(std::size_t number) const noexcept {
  return options_[number].weight_decay == 0 ? nullptr : "weight decay would change every row; use weight_decay 0";
}

}  // namespace feral::optim
#endif  // HWY_ONCE
