#include "nn/module.hpp"

#include <algorithm>

#include "core/fail.hpp"

namespace feral::nn {

void Module::check_name(std::string_view name) const {
  if (name.empty() || name.find('.') != std::string_view::npos) fail("module: '{}' is no name for a member", name);
  const bool taken = std::ranges::any_of(children_, [&](const Child& child) { return child.name == name; }) ||
                     std::ranges::any_of(parameters_, [&](const NamedParameter& p) { return p.name == name; });
  if (taken) fail("module: the name '{}' is registered twice", name);
}

void Module::register_module(std::string name, Module& child) {
  check_name(name);
  children_.push_back({std::move(name), &child});
}

void Module::register_parameter(std::string name, Tensor& parameter) {
  check_name(name);
  if (!parameter.defined()) fail("module: parameter '{}' is undefined", name);
  parameter.set_requires_grad(true);
  parameters_.push_back({std::move(name), parameter});
}

void Module::collect(const std::string& prefix, std::vector<NamedParameter>& into) const {
  for (const NamedParameter& parameter : parameters_) into.push_back({prefix + parameter.name, parameter.tensor});
  for (const Child& child : children_) child.module->collect(prefix + child.name + ".", into);
}

std::vector<NamedParameter> Module::named_parameters() const {
  std::vector<NamedParameter> result;
  collect("", result);
  return result;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> result;
  for (NamedParameter& parameter : named_parameters()) result.push_back(std::move(parameter.tensor));
  return result;
}

void Module::train(bool on) {
  training_ = on;
  for (const Child& child : children_) child.module->train(on);
}

}  // namespace feral::nn
