#include "optim/sparse_adam.hpp"

#include <cmath>

#include "optim/adam_update.hpp"
#include "optim/check_options.hpp"

namespace feral::optim {
namespace {

void check_sparse_adam(const SparseAdamOptions& o) {
  check_not_negative("SparseAdam", "the learning rate", o.lr);
  check_betas("SparseAdam", o.betas);
  check_not_negative("SparseAdam", "eps", o.eps);
}

std::vector<StateKind> sparse_adam_kinds(const SparseAdamOptions& o) {
  static_cast<void>(o);
  return {{"exp_avg_sq"}, {"exp_avg"}};
}

}  // namespace

SparseAdam::SparseAdam(std::vector<Tensor> parameters, SparseAdamOptions options)
    : SparseAdam(std::vector<Group>{{std::move(parameters), options}}) {}

SparseAdam::SparseAdam(const std::vector<Group>& groups)
    : GroupedOptimizer("SparseAdam", check_sparse_adam, sparse_adam_kinds) {
  add_groups(groups);
}

void SparseAdam::set_momentum(double momentum) {
  check_fraction("SparseAdam", "the first of betas", momentum);
  for (SparseAdamOptions& o : options_) o.betas.first = momentum;
}

void SparseAdam::update(std::size_t number, std::uint64_t count, const Operands& operands) {
  const SparseAdamOptions& o = options_[number];
  const auto& correction = corrections_.get(number, count, o.betas.first, o.betas.second);
  adam_update({.sign = o.maximize ? -1.0 : 1.0,
               .beta1 = o.betas.first,
               .beta2 = o.betas.second,
               .eps = o.eps,
               .average = group(number).lr * std::sqrt(correction.second) / correction.first},
              operands);
}

}  // namespace feral::optim
