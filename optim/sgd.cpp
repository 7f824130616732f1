#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optim/sgd.cpp"
#include <hwy/foreach_target.h>
// Highway's per-target headers come after foreach_target.
#include "optim/sgd.hpp"
#include "optim/update-inl.hpp"

#ifndef FERAL_OPTIM_SGD_SCALARS
#define FERAL_OPTIM_SGD_SCALARS
namespace feral::optim {

struct SGDScalars {
  double sign;  // -1 to maximize
  double decay;
  double momentum;
  double entering;  // how much of the gradient enters the velocity
  double lr;
};

}  // namespace feral::optim
#endif

HWY_BEFORE_NAMESPACE();
namespace feral::optim::HWY_NAMESPACE {

template <class T>
struct PlainSGD {
  static constexpr std::size_t count = 0;
  Vector<T> sign, decay, lr;
  explicit HWY_INLINE PlainSGD(const SGDScalars& s)
      : sign(broadcast<T>(s.sign)), decay(broadcast<T>(s.decay)), lr(broadcast<T>(-s.lr)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>*) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    parameter = hn::MulAdd(lr, g, parameter);
  }
};

template <class T>
struct MomentumSGD {
  static constexpr std::size_t count = 1;
  Vector<T> sign, decay, momentum, entering, lr;
  explicit HWY_INLINE MomentumSGD(const SGDScalars& s)
      : sign(broadcast<T>(s.sign)),
        decay(broadcast<T>(s.decay)),
        momentum(broadcast<T>(s.momentum)),
        entering(broadcast<T>(s.entering)),
        lr(broadcast<T>(-s.lr)) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(decay, parameter, hn::Mul(sign, gradient));
    state[0] = hn::MulAdd(momentum, state[0], hn::Mul(entering, g));
    parameter = hn::MulAdd(lr, state[0], parameter);
  }
};

template <class T>
struct NesterovSGD : MomentumSGD<T> {
  explicit HWY_INLINE NesterovSGD(const SGDScalars& s) : MomentumSGD<T>(s) {}

  HWY_INLINE void operator()(Vector<T>& parameter, Vector<T> gradient, Vector<T>* state) const {
    const auto g = hn::MulAdd(this->decay, parameter, hn::Mul(this->sign, gradient));
    state[0] = hn::MulAdd(this->momentum, state[0], hn::Mul(this->entering, g));
    parameter = hn::MulAdd(this->lr, hn::MulAdd(this->momentum, state[0], g), parameter);
  }
};

void sgd_plain(const SGDScalars& s, const Operands& o) { update_with<PlainSGD>(s, o); }
void sgd_momentum(const SGDScalars& s, const Operands& o) { update_with<MomentumSGD>(s, o); }
void sgd_nesterov(const SGDScalars& s, const Operands& o) { update_with<NesterovSGD>(s, o); }

}  // namespace feral::optim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

HWY_EXPORT(sgd_plain);
HWY_EXPORT(sgd_momentum);
HWY_EXPORT(sgd_nesterov);

void check_sgd(const SGDOptions& o) {
  check_not_negative("SGD", "the learning rate", o.lr);
  check_fraction("SGD", "momentum", o.momentum);
  check_not_negative("SGD", "weight decay", o.weight_decay);
  if (!std::isfinite(o.dampening)) fail("SGD: dampening must be finite, got {}", o.dampening);
  if (o.nesterov && (o.momentum == 0 || o.dampening != 0)) {
    fail("SGD: nesterov needs momentum and no dampening, got momentum {} and dampening {}", o.momentum,
         o.dampening);
  }
}

std::vector<StateKind> sgd_kinds(const SGDOptions& o) {
  if (o.momentum == 0) return {};
  return {{"momentum_buffer"}};
}

}  // namespace

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options)
    : SGD(std::vector<Group>{{std::move(parameters), options}}) {}

SGD::SGD(const std::vector<Group>& groups) : GroupedOptimizer("SGD", check_sgd, sgd_kinds) { add_groups(groups); }

void SGD::set_momentum(double momentum) {
  check_fraction("SGD", "momentum", momentum);
  for (SGDOptions& o : options_) {
    if (o.momentum != 0) o.momentum = momentum;
  }
}

void SGD::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const SGDOptions& o = options_[number];
  const SGDScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                           .decay = o.weight_decay,
                           .momentum = o.momentum,
                           .entering = count == 1 ? 1 : 1 - o.dampening,
                           .lr = group(number).lr};
  if (operands.states[0] == nullptr) {
    HWY_DYNAMIC_DISPATCH(sgd_plain)(scalars, operands);
  } else if (o.nesterov) {
    HWY_DYNAMIC_DISPATCH(sgd_nesterov)(scalars, operands);
  } else {
    HWY_DYNAMIC_DISPATCH(sgd_momentum)(scalars, operands);
  }
}

const char* SGD::refuses_rows(std::size_t number) const noexcept {
  if (options_[number].momentum != 0) return "momentum would move every row; use momentum 0, or SparseAdam";
  if (options_[number].weight_decay != 0) return "weight decay would change every row; use weight_decay 0";
  return nullptr;
}

}  // namespace feral::optim
#endif  // HWY_ONCE
