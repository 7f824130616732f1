// Update rules by name, with the options that a command line gives them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "optim/optimizer.hpp"

namespace feral::optim {

// SparseAdam is none of them: it takes no dense gradients, so that no model's parameters all go to it.
enum class Rule : std::uint32_t {
  sgd,
  adam,
  adamw,
  adamax,
  nadam,
  radam,
  adagrad,
  adadelta,
  rmsprop,
  rprop,
  asgd,
  lbfgs,
};

inline constexpr int rule_count = 12;

std::string_view name_of(Rule rule) noexcept;  // "sgd", "adamw"
std::string list_of_rules();                   // all names, separated by commas

// What a rule has no use for is ignored.
struct RuleOptions {
  double lr = 0;
  double momentum = 0;  // SGD, RMSprop
  double weight_decay = 0;
  double beta1 = 0.9;  // Adam and its kin
  double beta2 = 0.999;
};

// The options that the rule's own struct has by default: PyTorch's.
RuleOptions default_options(Rule rule) noexcept;

// Throws feral::Error for options out of range. LBFGS searches its line for the strong Wolfe conditions.
std::unique_ptr<Optimizer> make_optimizer(Rule rule, std::vector<Tensor> parameters, const RuleOptions& options);

}  // namespace feral::optim
