#include "optim/adam.hpp"

#include <cmath>

#include "optim/adam_update.hpp"
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

void check_adam(const AdamOptions& o) {
  check_not_negative("Adam", "the learning rate", o.lr);
  check_betas("Adam", o.betas);
  check_not_negative("Adam", "eps", o.eps);
  check_not_negative("Adam", "weight decay", o.weight_decay);
}

std::vector<StateKind> adam_kinds(const AdamOptions& o) {
  if (o.amsgrad) return {{"exp_avg_sq"}, {"max_exp_avg_sq"}, {"exp_avg"}};
  return {{"exp_avg_sq"}, {"exp_avg"}};
}

}  // namespace

Adam::Adam(std::vector<Tensor> parameters, AdamOptions options)
    : Adam(std::vector<Group>{{std::move(parameters), options}}) {}

Adam::Adam(const std::vector<Group>& groups) : Adam("Adam", groups) {}

Adam::Adam(const char* name, const std::vector<Group>& groups) : GroupedOptimizer(name, check_adam, adam_kinds) {
  add_groups(groups);
}

void Adam::set_momentum(double momentum) {
  check_fraction(name(), "the first of betas", momentum);
  for (AdamOptions& o : options_) o.betas.first = momentum;
}

void Adam::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const AdamOptions& o = options_[number];
  const double lr = group(number).lr;
  const auto& correction = corrections_.get(number, count, o.betas.first, o.betas.second);
  // sqrt(v / c) + eps = (sqrt(v) + eps * sqrt(c)) / sqrt(c)
  const double scale = std::sqrt(correction.second);
  const AdamScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                            .keep = o.decoupled_weight_decay ? 1 - lr * o.weight_decay : 1,
                            .decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
                            .beta1 = o.betas.first,
                            .beta2 = o.betas.second,
                            .root = 1,
                            .eps = o.eps * scale,
                            .average = lr / correction.first * scale};
  if (o.amsgrad) {
    adam_update_amsgrad(scalars, operands);
  } else {
    adam_update(scalars, operands);
  }
}

}  // namespace feral::optim
