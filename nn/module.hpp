// Modules: parameters, their names, and a forward pass.
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
// A module refers to its children where they stand, so modules are neither copied nor moved.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral::nn {

struct NamedParameter {
  std::string name;  // "hidden.weight": PyTorch's state_dict names
  Tensor tensor;     // shares the module's parameter
};

class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual Tensor forward(const Tensor& x) = 0;
  Tensor operator()(const Tensor& x) { return forward(x); }

  // All parameters of this module and its children, in the order of registration, own ones first.
  std::vector<NamedParameter> named_parameters() const;
  std::vector<Tensor> parameters() const;

  // Training mode, of this module and its children; new modules train.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const noexcept { return training_; }

 protected:
  // `child` must live as long as this module: a member. Throws feral::Error on a name that is taken, empty, or
  // contains a dot.
  void register_module(std::string name, Module& child);
  // Marks `parameter` as requiring a gradient.
  void register_parameter(std::string name, Tensor& parameter);

 private:
  void check_name(std::string_view name) const;
  void collect(const std::string& prefix, std::vector<NamedParameter>& into) const;

  struct Child {
    std::string name;
    Module* module;
  };
  std::vector<Child> children_;
  std::vector<NamedParameter> parameters_;
  bool training_ = true;
};

}  // namespace feral::nn
