#include "nn/container.hpp"

#include <algorithm>

#include "core/fail.hpp"

namespace feral::nn {
namespace {

Module& at_index(const char* kind, const std::vector<Module*>& modules, std::size_t index) {
  if (index >= modules.size()) fail("{}: no module {}, there are {}", kind, index, modules.size());
  return *modules[index];
}

}  // namespace

Sequential::Sequential(std::initializer_list<NamedChild> modules) {
  for (const auto& [name, module] : modules) append(name, module);
}

Sequential& Sequential::append(std::shared_ptr<Module> module) {
  return append(std::to_string(modules_.size()), std::move(module));
}

Sequential& Sequential::append(std::string name, std::shared_ptr<Module> module) {
  Module* const added = module.get();
  register_module(std::move(name), std::move(module));
  modules_.push_back(added);
  return *this;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor result = x;
  for (Module* const module : modules_) result = (*module)(result);
  return result;
}

Module& Sequential::operator[](std::size_t index) const { return at_index("Sequential", modules_, index); }

ModuleList& ModuleList::append(std::shared_ptr<Module> module) {
  Module* const added = module.get();
  register_module(std::to_string(modules_.size()), std::move(module));
  modules_.push_back(added);
  return *this;
}

Module& ModuleList::operator[](std::size_t index) const { return at_index("ModuleList", modules_, index); }

void ModuleList::refuse_kind(const Module& module) { fail("ModuleList: the module is a {}", module.kind()); }

ModuleDict::ModuleDict(std::initializer_list<NamedChild> modules) {
  for (const auto& [name, module] : modules) insert(name, module);
}

ModuleDict& ModuleDict::insert(std::string name, std::shared_ptr<Module> module) {
  Module* const added = module.get();
  register_module(name, std::move(module));
  modules_.push_back({std::move(name), added});
  return *this;
}

bool ModuleDict::contains(std::string_view name) const noexcept {
  return std::ranges::any_of(modules_, [&](const NamedModule& entry) { return entry.name == name; });
}

Module& ModuleDict::operator[](std::string_view name) const {
  for (const NamedModule& entry : modules_) {
    if (entry.name == name) return *entry.module;
  }
  std::string names;
  for (const NamedModule& entry : modules_) names += (names.empty() ? "" : ", ") + entry.name;
  fail("ModuleDict: no module '{}', there are: {}", name, names.empty() ? "none" : names);
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> names;
  for (const NamedModule& entry : modules_) names.push_back(entry.name);
  return names;
}

}  // namespace feral::nn
