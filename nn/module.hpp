// Modules: parameters, buffers, their names, and a forward pass.
//
//   struct Net : nn::Module {
//     nn::Linear hidden{784, 128}, output{128, 10};
//     Net() {
//       register_module("hidden", hidden);
//       register_module("output", output);
//     }
//     Tensor forward(const Tensor& x) override { return log_softmax(output(hidden(x.flatten(1)).relu())); }
//   };
//
// A module refers to its children and tensors where they stand, so modules are neither copied nor moved. Names,
// their order and the layouts of the tensors are PyTorch's.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::nn {

class Module;

struct NamedTensor {
  std::string name;  // "hidden.weight"
  Tensor tensor;     // shares the module's
};

struct NamedModule {
  std::string name;  // "hidden"; "" for the module that was asked
  Module* module = nullptr;
};

// What save_npz and load_npz take and give.
using StateDict = std::map<std::string, Tensor>;

// Names that load_state_dict(…, strict = false) passed over.
struct LoadResult {
  std::vector<std::string> missing;     // the module's own that were not given
  std::vector<std::string> unexpected;  // given, and none of the module's
};

class Module {
 public:
  Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module();

  // Modules with other inputs (recurrent ones, attention, losses) have forward functions of their own beside this
  // one, which throws feral::Error unless it is overridden.
  virtual Tensor forward(const Tensor& x);
  // forward() with the hooks around it.
  Tensor operator()(const Tensor& x);

  // All parameters of this module and its children, in the order of registration, own ones first. One that stands
  // in several places (tied weights) is listed once, under its first name.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<Tensor> parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  std::int64_t parameter_count() const;  // elements of all parameters
  // This module and all below it, each before its children; each once.
  std::vector<NamedModule> named_modules();
  std::vector<NamedModule> children() const;
  // Calls `function` for the children first, then for this module.
  void apply(const std::function<void(Module&)>& function);

  // Every parameter and persistent buffer under its full name, tied ones under each of theirs. The tensors share
  // the module's memory: clone what must not change.
  StateDict state_dict() const;
  // Copies values in, converting types. Throws feral::Error, and has changed nothing then, for a wrong shape, and
  // when strict for a missing or unexpected name.
  LoadResult load_state_dict(const StateDict& state, bool strict = true);

  // Training mode, of this module and its children; new modules train.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const noexcept { return training_; }

  // Converts floating parameters, their gradients and floating buffers; every Tensor that shares them follows.
  void to(DType dtype);
  // false freezes all parameters: they get no gradient, and optimizers leave them as they are.
  void requires_grad_(bool on = true);
  void zero_grad();

  // Seen by operator(): before forward, with the input, and after it, with input and output. An undefined Tensor as
  // answer leaves things as they are, another takes their place. The number removes the hook.
  using ForwardPreHook = std::function<Tensor(Module& module, const Tensor& input)>;
  using ForwardHook = std::function<Tensor(Module& module, const Tensor& input, const Tensor& output)>;
  // On the way back, with the gradients of input and output (that of the input undefined when it needs none); a
  // defined answer takes the place of the input's.
  using BackwardHook = std::function<Tensor(Module& module, const Tensor& grad_input, const Tensor& grad_output)>;
  std::size_t register_backward_hook(BackwardHook hook);
  std::size_t register_forward_pre_hook(ForwardPreHook hook);
  std::size_t register_forward_hook(ForwardHook hook);
  void remove_hook(std::size_t number);

  // The class's name, without namespaces: "Linear".
  std::string kind() const;
  // What stands in the brackets behind the name when the module is printed: "in_features=784, out_features=128".
  virtual std::string extra_repr() const { return {}; }
  // The tree of modules with the number of parameters of each.
  std::string repr() const;

 protected:
  // `child` must live as long as this module: a member. Throws feral::Error on a name that is taken, empty, or
  // contains a dot.
  void register_module(std::string name, Module& child);
  // The same for a child that this module keeps alive.
  void register_module(std::string name, std::shared_ptr<Module> child);
  // Marks `parameter`, a member that is not moved, as requiring a gradient. Assigning another tensor to the member
  // later ties the weights: `decoder.weight = encoder.weight`.
  void register_parameter(std::string name, Tensor& parameter);
  // State that is no parameter: saved, shared among the workers of a job, converted by to(), never trained. One
  // that is not persistent is left out of state_dict().
  void register_buffer(std::string name, Tensor& buffer, bool persistent = true);

 private:
  struct Child {
    std::string name;
    Module* module = nullptr;
    std::shared_ptr<Module> owner;  // none for a member
  };
  struct Entry {
    std::string name;
    Tensor* tensor = nullptr;
    bool persistent = true;
  };
  struct Hooks;

  Tensor with_hooks(const Tensor& x);
  void check_name(std::string_view name) const;
  void collect(const std::string& prefix, std::vector<Entry> Module::*entries, std::vector<Entry>& into) const;
  void collect_modules(const std::string& prefix, std::vector<NamedModule>& into);
  void print(std::string& into, const std::string& label, int depth) const;

  std::vector<Child> children_;
  std::vector<Entry> parameters_;
  std::vector<Entry> buffers_;
  std::shared_ptr<Hooks> hooks_;  // none for most modules
  bool training_ = true;
};

std::ostream& operator<<(std::ostream& out, const Module& module);

}  // namespace feral::nn
