#include "autograd/grad.hpp"

#include <algorithm>

#include "autograd/engine.hpp"
#include "autograd/node.hpp"
#include "autograd/route.hpp"
#include "core/fail.hpp"

namespace feral::autograd {
namespace {

std::vector<Tensor> starts_of(std::string_view op, const std::vector<Tensor>& outputs,
                              const std::vector<Tensor>& gradients) {
  if (!gradients.empty() && gradients.size() != outputs.size()) {
    fail("{}: {} gradients for {} outputs", op, gradients.size(), outputs.size());
  }
  std::vector<Tensor> starts;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    starts.push_back(start_of(op, outputs[i], gradients.empty() ? Tensor() : gradients[i]));
  }
  return starts;
}

}  // namespace
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& gradients, const GradOptions& options) {
  if (inputs.empty()) fail("grad: there are no inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) fail("grad: input {} ({}) requires no gradient", i, inputs[i].to_string());
  }
  const std::vector<Tensor> starts = starts_of("grad", outputs, gradients);
  std::vector<Tensor> answers(inputs.size());
  {
    const Route route(outputs, inputs);
    run_backward(outputs, starts,
                 {.retain_graph = options.retain_graph || options.create_graph,
                  .create_graph = options.create_graph,
                  .inputs = inputs,
                  .answers = answers});
  }
  for (std::size_t i = 0; i < inputs.size() && !options.allow_unused; ++i) {
    if (!answers[i].defined()) {
      fail("grad: no output depends on input {} ({}); pass allow_unused = true if that is meant", i,
           inputs[i].to_string());
    }
  }
  return answers;
}

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients, bool retain_graph,
              bool create_graph) {
  const std::vector<Tensor> starts = starts_of("backward", outputs, gradients);
  run_backward(
      outputs, starts,
      {.retain_graph = retain_graph || create_graph, .create_graph = create_graph, .inputs = {}, .answers = {}});
}

}  // namespace feral::autograd
