// Modules beside PyTorch's: the same parameters, the same inputs; outputs, all gradients and buffers must agree.
//
//   TEST(LinearParity, Bias) { nn::Linear layer(5, 3); expect_parity("layers", "Linear/bias", layer); }
//
// tests/nn/generate.py writes the fixtures, tests/nn/reference/FAMILY.py says what is in them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/module.hpp"

namespace feral::nn {

using Tensors = std::vector<Tensor>;

// Runs the case in float64 (to 1e-10) and in float32 (to 1e-5): loads its parameters and buffers into `module`,
// calls `forward` with its inputs, sends its gradients back through every floating output, and compares with the
// fixture. A difference counts relative to the largest element of its tensor. Without `forward`: module(inputs[0]).
//
// Undefined outputs are left out of the comparison. The module is left in float32.
void expect_parity(const std::string& family, const std::string& name, Module& module,
                   const std::function<Tensors(const Tensors& inputs)>& forward = {}, double scale = 1);

// The same for functions, which have no parameters.
void expect_parity(const std::string& family, const std::string& name,
                   const std::function<Tensors(const Tensors& inputs)>& forward, double scale = 1);

// The names of a family's cases.
std::vector<std::string> parity_cases(const std::string& family);

}  // namespace feral::nn
