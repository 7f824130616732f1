#include "nn/module.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <typeinfo>

#include "autograd/function.hpp"
#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"

namespace feral::nn {

struct Module::Hooks {
  template <class Function>
  struct Numbered {
    std::size_t number;
    Function function;
  };
  std::size_t next_number = 1;
  std::vector<Numbered<ForwardPreHook>> before;
  std::vector<Numbered<ForwardHook>> after;
  std::vector<Numbered<BackwardHook>> back;
};

Module::Module() = default;
Module::~Module() = default;

Tensor Module::forward(const Tensor&) { fail("{}: its forward takes other arguments than one tensor", kind()); }

Tensor Module::operator()(const Tensor& x) { return hooks_ == nullptr ? forward(x) : with_hooks(x); }

Tensor Module::with_hooks(const Tensor& x) {
  // Hooks may add and remove hooks: each list is gone through as it was.
  const std::shared_ptr<Hooks> hooks = hooks_;
  Tensor input = x;
  for (const auto& hook : std::vector(hooks->before)) {
    if (Tensor other = hook.function(*this, input); other.defined()) input = std::move(other);
  }
  const bool watched = !hooks->back.empty() && GradMode::enabled();
  const bool needs_input = watched && input.requires_grad();
  const auto arrived = watched ? std::make_shared<Tensor>() : nullptr;  // the output's gradient
  // A module that is gone by then has no hooks any more.
  const auto go_back = [this, arrived, alive = std::weak_ptr<Hooks>(hooks)](Tensor gradient) {
    const std::shared_ptr<Hooks> left = alive.lock();
    if (left == nullptr) return gradient;
    for (const auto& hook : std::vector(left->back)) {
      if (Tensor other = hook.function(*this, gradient, *arrived); other.defined()) gradient = std::move(other);
    }
    return gradient;
  };
  if (needs_input) {
    input = autograd::custom_function("module input", input.detach(), {input}, [go_back](const Tensor& gradient) {
      return std::vector<Tensor>{go_back(gradient)};
    });
  }
  Tensor output = forward(input);
  for (const auto& hook : std::vector(hooks->after)) {
    if (Tensor other = hook.function(*this, input, output); other.defined()) output = std::move(other);
  }
  if (watched && output.requires_grad()) {
    output.register_hook([go_back, arrived, needs_input](const Tensor& gradient) {
      *arrived = gradient;
      if (!needs_input) go_back({});
      return Tensor();
    });
  }
  return output;
}

void Module::check_name(std::string_view name) const {
  if (name.empty() || name.find('.') != std::string_view::npos) fail("module: '{}' is no name for a member", name);
  const auto same = [&](const auto& entry) { return entry.name == name; };
  const bool taken = std::ranges::any_of(children_, same) || std::ranges::any_of(parameters_, same) ||
                     std::ranges::any_of(buffers_, same);
  if (taken) fail("module: the name '{}' is registered twice", name);
}

void Module::register_module(std::string name, Module& child) {
  check_name(name);
  children_.push_back({std::move(name), &child, nullptr});
}

void Module::register_module(std::string name, std::shared_ptr<Module> child) {
  check_name(name);
  if (child == nullptr) fail("module: child '{}' is a null pointer", name);
  Module* const module = child.get();
  children_.push_back({std::move(name), module, std::move(child)});
}

void Module::register_parameter(std::string name, Tensor& parameter) {
  check_name(name);
  if (!parameter.defined()) fail("module: parameter '{}' is undefined", name);
  parameter.set_requires_grad(true);
  parameters_.push_back({std::move(name), &parameter, true});
}

void Module::register_buffer(std::string name, Tensor& buffer, bool persistent) {
  check_name(name);
  if (!buffer.defined()) fail("module: buffer '{}' is undefined", name);
  buffers_.push_back({std::move(name), &buffer, persistent});
}

void Module::collect(const std::string& prefix, std::vector<Entry> Module::*entries,
                     std::vector<Entry>& into) const {
  for (const Entry& entry : this->*entries) into.push_back({prefix + entry.name, entry.tensor, entry.persistent});
  for (const Child& child : children_) child.module->collect(prefix + child.name + ".", entries, into);
}

namespace {

// The first entry for each tensor.
template <class Entries>
std::vector<NamedTensor> without_repeats(const Entries& entries) {
  std::vector<NamedTensor> result;
  for (const auto& entry : entries) {
    const bool seen =
        std::ranges::any_of(result, [&](const NamedTensor& n) { return n.tensor.impl() == entry.tensor->impl(); });
    if (!seen) result.push_back({entry.name, *entry.tensor});
  }
  return result;
}

}  // namespace

std::vector<NamedTensor> Module::named_parameters() const {
  std::vector<Entry> all;
  collect("", &Module::parameters_, all);
  return without_repeats(all);
}

std::vector<NamedTensor> Module::named_buffers() const {
  std::vector<Entry> all;
  collect("", &Module::buffers_, all);
  return without_repeats(all);
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> result;
  for (NamedTensor& parameter : named_parameters()) result.push_back(std::move(parameter.tensor));
  return result;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedTensor& parameter : named_parameters()) count += parameter.tensor.numel();
  return count;
}

void Module::collect_modules(const std::string& prefix, std::vector<NamedModule>& into) {
  if (std::ranges::any_of(into, [&](const NamedModule& n) { return n.module == this; })) return;
  into.push_back({prefix, this});
  for (const Child& child : children_) {
    child.module->collect_modules(prefix.empty() ? child.name : prefix + "." + child.name, into);
  }
}

std::vector<NamedModule> Module::named_modules() {
  std::vector<NamedModule> result;
  collect_modules("", result);
  return result;
}

std::vector<NamedModule> Module::children() const {
  std::vector<NamedModule> result;
  for (const Child& child : children_) result.push_back({child.name, child.module});
  return result;
}

void Module::apply(const std::function<void(Module&)>& function) {
  for (const Child& child : children_) child.module->apply(function);
  function(*this);
}

StateDict Module::state_dict() const {
  std::vector<Entry> all;
  collect("", &Module::parameters_, all);
  collect("", &Module::buffers_, all);
  StateDict result;
  for (const Entry& entry : all) {
    if (entry.persistent) result.emplace(entry.name, entry.tensor->detach());
  }
  return result;
}

LoadResult Module::load_state_dict(const StateDict& state, bool strict) {
  const StateDict own = state_dict();
  LoadResult result;
  for (const auto& [name, tensor] : own) {
    const auto given = state.find(name);
    if (given == state.end()) {
      result.missing.push_back(name);
    } else if (!given->second.defined() || !(given->second.shape() == tensor.shape())) {
      fail("load_state_dict: '{}' is {}, the module's is {}", name, given->second.to_string(), tensor.to_string());
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!own.contains(name)) result.unexpected.push_back(name);
  }
  if (strict && !result.missing.empty()) {
    fail("load_state_dict: '{}' is missing, {} of {} names in all; pass strict = false to go on without",
         result.missing.front(), result.missing.size(), own.size());
  }
  if (strict && !result.unexpected.empty()) {
    fail("load_state_dict: {} has no '{}', nor any of {} names given; pass strict = false to pass them over",
         kind(), result.unexpected.front(), result.unexpected.size());
  }
  for (const auto& [name, tensor] : own) {
    if (const auto given = state.find(name); given != state.end()) tensor.copy_(given->second.detach());
  }
  return result;
}

void Module::train(bool on) {
  training_ = on;
  for (const Child& child : children_) child.module->train(on);
}

void Module::to(DType dtype) {
  if (!is_floating(dtype)) fail("{}: to({}): parameters are floating numbers", kind(), name_of(dtype));
  const NoGradGuard no_grad;
  const auto convert = [&](const Tensor& tensor) {
    if (!is_floating(tensor.dtype())) return;
    const Tensor gradient = tensor.grad();
    tensor.set_grad({});
    tensor.set_data(tensor.detach().to(dtype));
    if (gradient.defined()) tensor.set_grad(gradient.detach().to(dtype));
  };
  for (const NamedTensor& parameter : named_parameters()) convert(parameter.tensor);
  for (const NamedTensor& buffer : named_buffers()) convert(buffer.tensor);
}

void Module::requires_grad_(bool on) {
  for (NamedTensor& parameter : named_parameters()) parameter.tensor.set_requires_grad(on);
}

void Module::zero_grad() {
  for (const Entry& parameter : parameters_) parameter.tensor->set_grad({});
  for (const Child& child : children_) child.module->zero_grad();
}

std::size_t Module::register_forward_pre_hook(ForwardPreHook hook) {
  if (hooks_ == nullptr) hooks_ = std::make_shared<Hooks>();
  hooks_->before.push_back({hooks_->next_number, std::move(hook)});
  return hooks_->next_number++;
}

std::size_t Module::register_forward_hook(ForwardHook hook) {
  if (hooks_ == nullptr) hooks_ = std::make_shared<Hooks>();
  hooks_->after.push_back({hooks_->next_number, std::move(hook)});
  return hooks_->next_number++;
}

std::size_t Module::register_backward_hook(BackwardHook hook) {
  if (hooks_ == nullptr) hooks_ = std::make_shared<Hooks>();
  hooks_->back.push_back({hooks_->next_number, std::move(hook)});
  return hooks_->next_number++;
}

void Module::remove_hook(std::size_t number) {
  if (hooks_ == nullptr) return;
  const auto same = [&](const auto& hook) { return hook.number == number; };
  std::erase_if(hooks_->before, same);
  std::erase_if(hooks_->after, same);
  std::erase_if(hooks_->back, same);
  if (hooks_->before.empty() && hooks_->after.empty() && hooks_->back.empty()) hooks_.reset();
}

std::string Module::kind() const {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status), &std::free);
  std::string name = status == 0 ? demangled.get() : typeid(*this).name();
  const std::size_t arguments = name.find('<');
  if (arguments != std::string::npos && name.ends_with('>')) name.erase(arguments);
  const std::size_t scope = name.rfind("::");
  return scope == std::string::npos ? name : name.substr(scope + 2);
}

namespace {

// 21840 → "21,840"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace

void Module::print(std::string& into, const std::string& label, int depth) const {
  const std::int64_t count = parameter_count();
  into += std::string(static_cast<std::size_t>(2 * depth), ' ') + label + kind() + "(" + extra_repr() + ")";
  if (count > 0) into += "  " + grouped(count) + (depth == 0 ? " parameters" : "");
  into += "\n";
  for (const Child& child : children_) child.module->print(into, "(" + child.name + "): ", depth + 1);
}

std::string Module::repr() const {
  std::string text;
  print(text, "", 0);
  text.pop_back();
  return text;
}

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << module.repr(); }

}  // namespace feral::nn
