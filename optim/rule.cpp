#include "optim/rule.hpp"

#include "optim/adadelta.hpp"
#include "optim/adagrad.hpp"
#include "optim/adam.hpp"
#include "optim/adamax.hpp"
#include "optim/adamw.hpp"
#include "optim/asgd.hpp"
#include "optim/lbfgs.hpp"
#include "optim/nadam.hpp"
#include "optim/radam.hpp"
#include "optim/rmsprop.hpp"
#include "optim/rprop.hpp"
#include "optim/sgd.hpp"

namespace feral::optim {
namespace {

constexpr std::string_view rule_names[rule_count] = {"sgd",     "adam",     "adamw",   "adamax", "nadam", "radam",
                                                     "adagrad", "adadelta", "rmsprop", "rprop",  "asgd",  "lbfgs"};

template <class Options>
RuleOptions taken_from(const Options& o) {
  RuleOptions result{.lr = o.lr};
  if constexpr (requires { o.momentum; }) result.momentum = o.momentum;
  if constexpr (requires { o.weight_decay; }) result.weight_decay = o.weight_decay;
  if constexpr (requires { o.betas; }) {
    result.beta1 = o.betas.first;
    result.beta2 = o.betas.second;
  }
  return result;
}

template <class Made, class Options>
std::unique_ptr<Optimizer> made(std::vector<Tensor> parameters, const RuleOptions& from) {
  Options o;
  o.lr = from.lr;
  if constexpr (requires { o.momentum; }) o.momentum = from.momentum;
  if constexpr (requires { o.weight_decay; }) o.weight_decay = from.weight_decay;
  if constexpr (requires { o.betas; }) o.betas = {from.beta1, from.beta2};
  if constexpr (requires { o.line_search_fn; }) o.line_search_fn = LineSearch::strong_wolfe;
  return std::make_unique<Made>(std::move(parameters), o);
}

}  // namespace

std::string_view name_of(Rule rule) noexcept { return rule_names[static_cast<int>(rule)]; }

std::string list_of_rules() {
  std::string list;
  for (const std::string_view name : rule_names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

RuleOptions default_options(Rule rule) noexcept {
  switch (rule) {
    case Rule::sgd:
      return taken_from(SGDOptions{});
    case Rule::adam:
      return taken_from(AdamOptions{});
    case Rule::adamw:
      return taken_from(AdamWOptions{});
    case Rule::adamax:
      return taken_from(AdamaxOptions{});
    case Rule::nadam:
      return taken_from(NAdamOptions{});
    case Rule::radam:
      return taken_from(RAdamOptions{});
    case Rule::adagrad:
      return taken_from(AdagradOptions{});
    case Rule::adadelta:
      return taken_from(AdadeltaOptions{});
    case Rule::rmsprop:
      return taken_from(RMSpropOptions{});
    case Rule::rprop:
      return taken_from(RpropOptions{});
    case Rule::asgd:
      return taken_from(ASGDOptions{});
    case Rule::lbfgs:
      return taken_from(LBFGSOptions{});
  }
  return {};
}

std::unique_ptr<Optimizer> make_optimizer(Rule rule, std::vector<Tensor> parameters, const RuleOptions& options) {
  switch (rule) {
    case Rule::sgd:
      return made<SGD, SGDOptions>(std::move(parameters), options);
    case Rule::adam:
      return made<Adam, AdamOptions>(std::move(parameters), options);
    case Rule::adamw:
      return made<AdamW, AdamWOptions>(std::move(parameters), options);
    case Rule::adamax:
      return made<Adamax, AdamaxOptions>(std::move(parameters), options);
    case Rule::nadam:
      return made<NAdam, NAdamOptions>(std::move(parameters), options);
    case Rule::radam:
      return made<RAdam, RAdamOptions>(std::move(parameters), options);
    case Rule::adagrad:
      return made<Adagrad, AdagradOptions>(std::move(parameters), options);
    case Rule::adadelta:
      return made<Adadelta, AdadeltaOptions>(std::move(parameters), options);
    case Rule::rmsprop:
      return made<RMSprop, RMSpropOptions>(std::move(parameters), options);
    case Rule::rprop:
      return made<Rprop, RpropOptions>(std::move(parameters), options);
    case Rule::asgd:
      return made<ASGD, ASGDOptions>(std::move(parameters), options);
    case Rule::lbfgs:
      return made<LBFGS, LBFGSOptions>(std::move(parameters), options);
  }
  return nullptr;
}

}  // namespace feral::optim
