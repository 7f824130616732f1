#include "autograd/gradcheck.hpp"

#include <cmath>

#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "tensor/philox.hpp"

namespace feral {
namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// Fixed weights in [0.5, 1.5): a plain sum would not see errors that cancel.
Tensor weights_like(const Tensor& output, std::uint64_t stream) {
  std::vector<double> values(static_cast<std::size_t>(output.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5 + to_unit_float(philox(7, stream, i)[0]);
  return Tensor::from_vector(values, output.shape());
}

double weighted_sum(const Tensor& output) {
  const Tensor weights = weights_like(output, 0);
  return (output.detach().to(DType::float64) * weights).sum().item();
}

// The fresh gradients of all inputs that require one, recorded when create_graph.
std::vector<Tensor> gradients_of(const Tensor& output, const std::vector<Tensor>& inputs, bool create_graph) {
  for (const Tensor& input : inputs) input.set_grad({});
  output.backward(weights_like(output, 0).to(output.dtype()), false, create_graph);
  std::vector<Tensor> gradients;
  for (const Tensor& input : inputs) {
    gradients.push_back(input.grad());
    input.set_grad({});
  }
  return gradients;
}

}  // namespace

std::string gradcheck(const Function& function, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options) {
  const std::vector<Tensor> gradients = gradients_of(function(inputs), inputs, false);
  const NoGradGuard no_grad;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].requires_grad()) continue;
    if (inputs[k].dtype() != DType::float64)
      fail("gradcheck: input {} is {}, not float64", k, inputs[k].to_string());
    if (!inputs[k].is_contiguous()) fail("gradcheck: input {} is not contiguous", k);
    const std::vector<double> analytic = gradients[k].defined()
                                             ? gradients[k].to_vector<double>()
                                             : std::vector<double>(static_cast<std::size_t>(inputs[k].numel()));
    double* elements = inputs[k].data<double>();
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      const double value = elements[i];
      elements[i] = value + options.step;
      const double above = weighted_sum(function(inputs));
      elements[i] = value - options.step;
      const double below = weighted_sum(function(inputs));
      elements[i] = value;
      const double numeric = (above - below) / (2 * options.step);
      if (!(std::abs(numeric - analytic[i]) <= options.absolute + options.relative * std::abs(numeric))) {
        return fmt::format("input {} element {}: gradient {}, finite difference {}", k, i, analytic[i], numeric);
      }
    }
  }
  return "";
}

std::string gradgradcheck(const Function& function, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  // The gradients themselves, as one function of the inputs: their weighted sums added up.
  const Function first = [&](const std::vector<Tensor>& arguments) {
    const GradModeGuard record(true);
    const std::vector<Tensor> gradients = gradients_of(function(arguments), arguments, true);
    Tensor total;
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      if (!gradients[k].defined()) continue;
      const Tensor part = (gradients[k] * weights_like(gradients[k], k + 1)).sum();
      total = total.defined() ? total + part : part;
    }
    if (!total.defined()) fail("gradgradcheck: no input requires a gradient");
    return total;
  };
  // A function that is linear everywhere has gradients that depend on no input.
  if (!first(inputs).requires_grad()) return "";
  return gradcheck(first, inputs, options);
}

}  // namespace feral
