#include "autograd/checkpoint.hpp"

#include "autograd/engine.hpp"
#include "autograd/function_node.hpp"
#include "autograd/grad_mode.hpp"
#include "core/fail.hpp"
#include "tensor/generator.hpp"

namespace feral::autograd {
namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// Draws from another place for the length of a scope.
class ReplayRandom {
 public:
  explicit ReplayRandom(const Generator& place) : before_(default_generator()) { default_generator() = place; }
  ReplayRandom(const ReplayRandom&) = delete;
  ReplayRandom& operator=(const ReplayRandom&) = delete;
  ~ReplayRandom() { default_generator() = before_; }

 private:
  Generator before_;
};

std::vector<Tensor> go_again(const Function& function, const std::vector<Tensor>& inputs,
                             const std::vector<std::uint32_t>& versions, const Generator& random,
                             const Tensor& gradient) {
  if (GradMode::enabled()) fail("checkpoint: gradients of gradients (create_graph) are not possible");
  if (collects_answers()) fail("checkpoint: autograd::grad does not reach what is inside; use backward()");
  std::vector<Tensor> again;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (input.defined() && input.version() != versions[i]) {
      fail("checkpoint: input {} of shape {} has been written in place since", i, input.shape().to_string());
    }
    again.push_back(input.defined() ? input.detach() : input);
    if (input.requires_grad()) again.back().set_requires_grad(true);
  }
  Tensor output;
  {
    const ReplayRandom replay(random);
    const GradModeGuard record(true);
    output = function(again);
  }
  if (!output.defined() || !(output.shape() == gradient.shape())) {
    fail("checkpoint: the function gave shape {} at first, {} the second time", gradient.shape().to_string(),
         output.defined() ? output.shape().to_string() : "an undefined tensor");
  }
  if (output.requires_grad()) output.backward(gradient);
  std::vector<Tensor> gradients;
  for (const Tensor& input : again) gradients.push_back(input.defined() ? input.grad() : Tensor());
  return gradients;
}

}  // namespace

Tensor checkpoint(Function function, const std::vector<Tensor>& inputs) {
  if (!function) fail("checkpoint: the function is empty");
  if (!GradMode::enabled()) return function(inputs);
  const Generator random = default_generator();
  Tensor output;
  {
    const NoGradGuard no_grad;
    output = function(inputs);
    if (!output.defined()) fail("checkpoint: the function answered an undefined tensor");
    output = output.detach();
  }
  if (!is_floating(output.dtype())) return output;
  std::vector<std::uint32_t> versions;
  for (const Tensor& input : inputs) versions.push_back(input.defined() ? input.version() : 0);
  // Recorded even if no input requires a gradient: a parameter inside may.
  record_function(
      "checkpoint", output, inputs,
      [function = std::move(function), inputs, versions = std::move(versions), random](const Tensor& gradient) {
        return go_again(function, inputs, versions, random, gradient);
      },
      true);
  return output;
}

}  // namespace feral::autograd
