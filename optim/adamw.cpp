#include "optim/adamw.hpp"

namespace feral::optim {
namespace {

std::vector<Adam::Group> decoupled(const std::vector<ParameterGroup<AdamWOptions>>& groups) {
  std::vector<Adam::Group> result;
  for (const auto& [parameters, o] : groups) {
    result.push_back({parameters,
                      {.lr = o.lr,
                       .betas = o.betas,
                       .eps = o.eps,
                       .weight_decay = o.weight_decay,
                       .amsgrad = o.amsgrad,
                       .maximize = o.maximize,
                       .decoupled_weight_decay = true}});
  }
  return result;
}

}  // namespace

AdamW::AdamW(std::vector<Tensor> parameters, AdamWOptions options)
    : AdamW(std::vector<ParameterGroup<AdamWOptions>>{{std::move(parameters), options}}) {}

AdamW::AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups) : Adam("AdamW", decoupled(groups)) {}

}  // namespace feral::optim
