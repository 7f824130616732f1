// All cases of a fixture family, each with the module that it is about.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/nn/parity.hpp"

namespace feral::nn {

struct ParityCase {
  std::string name;  // "BatchNorm1d/eval": this one evaluates, as its name says
  std::function<std::unique_ptr<Module>()> make;
  // module(inputs[0]) unless given
  std::function<Tensors(Module& module, const Tensors& inputs)> forward = {};
};

// M(arguments...) for a case.
template <class M, class... Arguments>
std::function<std::unique_ptr<Module>()> make(Arguments... arguments) {
  return [=] { return std::unique_ptr<Module>(std::make_unique<M>(arguments...)); };
}

// Compares every case with PyTorch: numbers as expect_parity does, and the text of extra_repr() where the fixture
// has it. Fails for a case of the fixture that is not listed.
void expect_family(const std::string& family, const std::vector<ParityCase>& cases);

}  // namespace feral::nn
