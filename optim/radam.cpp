#include "optim/radam.hpp"

#include <cmath>

#include "optim/adam_update.hpp"
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

void check_radam(const RAdamOptions& o) {
  check_not_negative("RAdam", "the learning rate", o.lr);
  check_betas("RAdam", o.betas);
  check_not_negative("RAdam", "eps", o.eps);
  check_not_negative("RAdam", "weight decay", o.weight_decay);
}

std::vector<StateKind> radam_kinds(const RAdamOptions& o) {
  static_cast<void>(o);
  return {{"exp_avg_sq"}, {"exp_avg"}};
}

}  // namespace

RAdam::RAdam(std::vector<Tensor> parameters, RAdamOptions options)
    : RAdam(std::vector<Group>{{std::move(parameters), options}}) {}

RAdam::RAdam(const std::vector<Group>& groups) : GroupedOptimizer("RAdam", check_radam, radam_kinds) {
  add_groups(groups);
}

void RAdam::set_momentum(double momentum) {
  check_fraction("RAdam", "the first of betas", momentum);
  for (RAdamOptions& o : options_) o.betas.first = momentum;
}

void RAdam::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const RAdamOptions& o = options_[number];
  const double lr = group(number).lr;
  const auto& correction = corrections_.get(number, count, o.betas.first, o.betas.second);
  AdamScalars scalars{.sign = o.maximize ? -1.0 : 1.0,
                      .keep = o.decoupled_weight_decay ? 1 - lr * o.weight_decay : 1,
                      .decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
                      .beta1 = o.betas.first,
                      .beta2 = o.betas.second};
  // The length of the average that the second moment stands for, in the limit and now.
  const double longest = 2 / (1 - o.betas.second) - 1;
  const double length = longest - 2 * static_cast<double>(count) * (1 - correction.second) / correction.second;
  if (length > 5) {
    const double rectified =
        std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    scalars.root = 1;
    scalars.eps = o.eps;
    scalars.average = lr / correction.first * std::sqrt(correction.second) * rectified;
  } else {
    scalars.root = 0;
    scalars.eps = 1;
    scalars.average = lr / correction.first;
  }
  adam_update(scalars, operands);
}

}  // namespace feral::optim
