#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/rmsprop.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/rmsprop.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_RMSPROP_SCALARS
#define FERAL_OPTIM_RMSPROP_SCALARS
namespace feral::optim {

struct RMSpropScalars {
  double sign, decay, alpha, eps, momentum, lr;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

// What the four forms share.
template <class T>
struct RMSpropFactors {
  Vector<T> sign, decay, alpha, rest, eps, momentum, lr;
  explicit HWY_INLINE RMSpropFactors(const RMSpropScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        alpha(broadcast<T>(s.alpha)),
        rest(broadcast<T>(1 - s.alpha)),
        eps(broadcast<T>(s.eps)),
        momentum(broadcast<T>(s.momentum)),
        lr(broadcast<T>(-s.lr)) {}

  // The gradient over the root of its mean square, or of its variance.
  HWY_INLINE Vector<T> scaled(Vector<T> parameter, Vector<T> gradient, Vector<T>& square, Vector<T>* mean) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    square = hn::MulAdd(alpha, square, hn::Mul(hn::Mul(rest, g), g));
    auto spread = square;
    if (mean != nullptr) {
      *mean = hn::MulAdd(alpha, *mean, hn::Mul(rest, g));
      // Not below 0: rounding, or another worker's half of the pair, must not give a NaN.
      spread = hn::Max(hn::NegMulAdd(*mean, *mean, square), hn::Zero(hn::ScalableTag<T>()));
    }
    return hn::Div(g, hn::Add(hn::Sqrt(spread), eps));
  }
};

template <class T>
struct RMSpropRule : RMSpropFactors<T> {
  static constexpr std::size_t count = 1;
  explicit HWY_INLINE RMSpropRule(const RMSpropScalars& s) : RMSpropFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    parameter = hn::MulAdd(this->lr, this->scaled(parameter, gradient, state[0], nullptr), parameter);
  }
};

template <class T>
struct MomentumRMSpropRule : RMSpropFactors<T> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE MomentumRMSpropRule(const RMSpropScalars& s) : RMSpropFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto scaled = this->scaled(parameter, gradient, state[0], nullptr);
    state[1] = hn::MulAdd(this->momentum, state[1], scaled);
    parameter = hn::MulAdd(this->lr, state[1], parameter);
  }
};

template <class T>
struct CenteredRMSpropRule : RMSpropFactors<T> {
  static constexpr std::size_t count = 2;
  explicit HWY_INLINE CenteredRMSpropRule(const RMSpropScalars& s) : RMSpropFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    parameter = hn::MulAdd(this->lr, this->scaled(parameter, gradient, state[0], state + 1), parameter);
  }
};

template <class T>
struct CenteredMomentumRMSpropRule : RMSpropFactors<T> {
  static constexpr std::size_t count = 3;
  explicit HWY_INLINE CenteredMomentumRMSpropRule(const RMSpropScalars& s) : RMSpropFactors<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto scaled = this->scaled(parameter, gradient, state[0], state + 1);
    state[2] = hn::MulAdd(this->momentum, state[2], scaled);
    parameter = hn::MulAdd(this->lr, state[2], parameter);
  }
};

void rmsprop_plain(const RMSpropScalars& s, const Operands& o) { update_with<RMSpropRule>(s, o); }
void rmsprop_momentum(const RMSpropScalars& s, const Operands& o) { update_with<MomentumRMSpropRule>(s, o); }
void rmsprop_centered(const RMSpropScalars& s, const Operands& o) { update_with<CenteredRMSpropRule>(s, o); }
void rmsprop_centered_momentum(const RMSpropScalars& s, const Operands& o) {
  update_with<CenteredMomentumRMSpropRule>(s, o);
}

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(rmsprop_plain);
HWY_EXPORT(rmsprop_momentum);
HWY_EXPORT(rmsprop_centered);
HWY_EXPORT(rmsprop_centered_momentum);

void check_rmsprop(const RMSpropOptions& o) {
  check_not_negative("RMSprop", "the learning rate", o.lr);
  check_fraction("RMSprop", "alpha", o.alpha);
  check_not_negative("RMSprop", "eps", o.eps);
  check_not_negative("RMSprop", "weight decay", o.weight_decay);
  check_fraction("RMSprop", "momentum", o.momentum);
}

std::vector<StateKind> rmsprop_kinds(const RMSpropOptions& o) {
  std::vector<StateKind> kinds = {{"square_avg"}};
  if (o.centered) kinds.push_back({"grad_avg"});
  if (o.momentum != 0) kinds.push_back({"momentum_buffer"});
  return kinds;
}

}  // namespace

RMSprop::RMSprop(std::vector<Tensor> parameters, RMSpropOptions options)
    : RMSprop(std::vector<Group>{{std::move(parameters), options}}) {}

RMSprop::RMSprop(const std::vector<Group>& groups) : GroupedOptimizer("RMSprop", check_rmsprop, rmsprop_kinds) {
  add_groups(groups);
}

void RMSprop::set_momentum(double momentum) {
  check_fraction("RMSprop", "momentum", momentum);
  for (RMSpropOptions& o : options_) {
    if (o.momentum != 0) o.momentum = momentum;
  }
}

void RMSprop::update(std::size_t number, std::uint64_t, const Operands& operands) {
  const RMSpropOptions& o = options_[number];
  const RMSpropScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                               .decay = o.weight_decay,
                               .alpha = o.alpha,
                               .eps = o.eps,
                               .momentum = o.momentum,
                               .lr = group(number).lr};
  const bool momentum = operands.states[o.centered ? 2 : 1] != nullptr;
  if (o.centered && momentum) {
    HWY_DYNAMIC_DISPATCH(rmsprop_centered_momentum)(scalars, operands);
  } else if (o.centered) {
    HWY_DYNAMIC_DISPATCH(rmsprop_centered)(scalars, operands);
  } else if (momentum) {
    HWY_DYNAMIC_DISPATCH(rmsprop_momentum)(scalars, operands);
  } else {
    HWY_DYNAMIC_DISPATCH(rmsprop_plain)(scalars, operands);
  }
}

}  // namespace feral::optim
#endif  // HWY_ONCE
