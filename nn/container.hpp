// Modules made of modules. They keep their children alive:
//
//   nn::Sequential net;
//   net.emplace<nn::Linear>(784, 128).emplace<nn::ReLU>().emplace<nn::Linear>(128, 10);
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/module.hpp"

namespace feral::nn {

// A child's name and the child.
using NamedChild = std::pair<std::string, std::shared_ptr<Module>>;

// One module after the other, called "0", "1", … unless they have names of their own.
class Sequential : public Module {
 public:
  Sequential() = default;
  // Sequential(std::make_shared<Linear>(2, 3), std::make_shared<ReLU>())
  template <std::convertible_to<std::shared_ptr<Module>>... Modules>
  requires(sizeof...(Modules) > 0) explicit Sequential(Modules... modules) { (append(std::move(modules)), ...); }
  // Sequential({{"fc", std::make_shared<Linear>(2, 3)}, {"act", std::make_shared<ReLU>()}})
  Sequential(std::initializer_list<NamedChild> modules);

  // Each returns this module, to append further ones.
  Sequential& append(std::shared_ptr<Module> module);
  Sequential& append(std::string name, std::shared_ptr<Module> module);
  template <std::derived_from<Module> M, class... Arguments>
  Sequential& emplace(Arguments&&... arguments) {
    return append(std::make_shared<M>(std::forward<Arguments>(arguments)...));
  }

  // x as it is when there are no modules.
  Tensor forward(const Tensor& x) override;

  std::size_t size() const noexcept { return modules_.size(); }
  Module& operator[](std::size_t index) const;  // throws feral::Error beyond the last

 private:
  std::vector<Module*> modules_;
};

// Modules by number, called "0", "1", …; how they are used is up to the module that has the list.
class ModuleList : public Module {
 public:
  ModuleList() = default;
  template <std::convertible_to<std::shared_ptr<Module>>... Modules>
  requires(sizeof...(Modules) > 0) explicit ModuleList(Modules... modules) { (append(std::move(modules)), ...); }

  ModuleList& append(std::shared_ptr<Module> module);
  // Makes a module in place and returns it.
  template <std::derived_from<Module> M, class... Arguments>
  M& emplace(Arguments&&... arguments) {
    auto module = std::make_shared<M>(std::forward<Arguments>(arguments)...);
    M& made = *module;
    append(std::move(module));
    return made;
  }

  std::size_t size() const noexcept { return modules_.size(); }
  Module& operator[](std::size_t index) const;  // throws feral::Error beyond the last
  // The same as an M; throws feral::Error when it is none.
  template <std::derived_from<Module> M>
  M& at(std::size_t index) const {
    return checked<M>((*this)[index]);
  }
  auto begin() const noexcept { return modules_.begin(); }  // pointers to modules
  auto end() const noexcept { return modules_.end(); }

 private:
  template <class M>
  static M& checked(Module& module) {
    if (auto* const cast = dynamic_cast<M*>(&module); cast != nullptr) return *cast;
    refuse_kind(module);
  }
  [[noreturn]] static void refuse_kind(const Module& module);

  std::vector<Module*> modules_;
};

// Modules by name, in the order in which they came.
class ModuleDict : public Module {
 public:
  ModuleDict() = default;
  ModuleDict(std::initializer_list<NamedChild> modules);

  ModuleDict& insert(std::string name, std::shared_ptr<Module> module);
  // Makes a module in place and returns it.
  template <std::derived_from<Module> M, class... Arguments>
  M& emplace(std::string name, Arguments&&... arguments) {
    auto module = std::make_shared<M>(std::forward<Arguments>(arguments)...);
    M& made = *module;
    insert(std::move(name), std::move(module));
    return made;
  }

  std::size_t size() const noexcept { return modules_.size(); }
  bool contains(std::string_view name) const noexcept;
  Module& operator[](std::string_view name) const;  // throws feral::Error for a name that is none
  std::vector<std::string> keys() const;

 private:
  std::vector<NamedModule> modules_;
};

}  // namespace feral::nn
