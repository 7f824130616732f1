#include "optim/nadam.hpp"

#include <cmath>

#include "optim/adam_update.hpp"
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

void check_nadam(const NAdamOptions& o) {
  check_not_negative("NAdam", "the learning rate", o.lr);
  check_betas("NAdam", o.betas);
  check_not_negative("NAdam", "eps", o.eps);
  check_not_negative("NAdam", "weight decay", o.weight_decay);
  check_not_negative("NAdam", "momentum decay", o.momentum_decay);
}

std::vector<StateKind> nadam_kinds(const NAdamOptions& o) {
  static_cast<void>(o);
  return {{"exp_avg_sq"}, {"exp_avg"}};
}

}  // namespace

NAdam::NAdam(std::vector<Tensor> parameters, NAdamOptions options)
    : NAdam(std::vector<Group>{{std::move(parameters), options}}) {}

NAdam::NAdam(const std::vector<Group>& groups) : GroupedOptimizer("NAdam", check_nadam, nadam_kinds) {
  add_groups(groups);
}

void NAdam::set_momentum(double momentum) {
  check_fraction("NAdam", "the first of betas", momentum);
  for (NAdamOptions& o : options_) o.betas.first = momentum;
}

const NAdam::Product& NAdam::product(std::size_t number, std::uint64_t count) {
  if (number >= products_.size()) products_.resize(number + 1);
  Product& p = products_[number];
  const NAdamOptions& o = options_[number];
  if (p.count == count && p.beta1 == o.betas.first) return p;
  if (p.count > count || p.beta1 != o.betas.first) p = {.beta1 = o.betas.first};
  const auto mu = [&](std::uint64_t t) {
    return o.betas.first * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * o.momentum_decay));
  };
  // Other workers may have stepped meanwhile. Once the product is 0 it stays that.
  for (std::uint64_t t = p.count + 1; t <= count && p.product != 0; ++t) p.product *= mu(t);
  p.count = count;
  p.mu = mu(count);
  p.next = mu(count + 1);
  return p;
}

void NAdam::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const NAdamOptions& o = options_[number];
  const double lr = group(number).lr;
  const auto& correction = corrections_.get(number, count, o.betas.first, o.betas.second);
  const Product& p = product(number, count);
  adam_update_fresh({.sign = o.maximize ? -1.0 : 1.0,
                     .keep = o.decoupled_weight_decay ? 1 - lr * o.weight_decay : 1,
                     .decay = o.decoupled_weight_decay ? 0 : o.weight_decay,
                     .beta1 = o.betas.first,
                     .beta2 = o.betas.second,
                     .root = 1 / std::sqrt(correction.second),
                     .eps = o.eps,
                     .average = lr * p.next / (1 - p.product * p.next),
                     .fresh = lr * (1 - p.mu) / (1 - p.product)},
                    operands);
}

}  // namespace feral::optim
