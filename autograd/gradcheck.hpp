// Comparing an op's gradient with finite differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace feral {

struct GradcheckOptions {
  double step = 1e-6;      // of the central difference
  double absolute = 1e-7;  // allowed difference: absolute + relative * |numeric|
  double relative = 1e-5;
};

// Checks d(function)/d(input) for every float64 input that requires a gradient, element by element, against central
// differences of the sum of the output weighted with fixed numbers. Returns an empty string when they agree, else a
// line naming input, position and both values. Inputs should stay away from kinks.
std::string gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                      const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

// The same for the gradient of the gradient: checks the function whose output is the gradient of `function`.
std::string gradgradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace feral
