#include "autograd/function.hpp"

#include <algorithm>

#include "autograd/function_node.hpp"
#include "autograd/op.hpp"
#include "core/fail.hpp"

namespace feral::autograd {
namespace {

struct FunctionNode : Node {
  OpInfo info;
  std::string name;
  BackwardFunction backward;
  std::vector<Edge> edge_list;
  std::vector<DType> dtypes;
};

void call_backward(Node& node, const Tensor& gradient, Tensor* out) {
  auto& self = static_cast<FunctionNode&>(node);
  const BackwardFunction backward = self.backward;  // a pass inside of it may free the node's own
  std::vector<Tensor> gradients = backward(gradient);
  if (gradients.size() != self.edge_list.size()) {
    fail("backward: '{}' answered {} gradients for {} inputs", self.name, gradients.size(), self.edge_list.size());
  }
  for (int i = 0; i < node.edge_count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (!node.needs(i) || !gradients[k].defined()) continue;
    if (!(gradients[k].shape() == node.input_shape(i)) || gradients[k].dtype() != self.dtypes[k]) {
      fail("backward: '{}' answered {} as gradient of input {}, which is {} {}", self.name,
           gradients[k].to_string(), i, name_of(self.dtypes[k]), node.input_shape(i).to_string());
    }
    out[i] = std::move(gradients[k]);
  }
}

}  // namespace

void record_function(std::string name, const Tensor& output, std::span<const Tensor> inputs,
                     BackwardFunction backward, bool reaches_others) {
  auto* node = new FunctionNode;
  node->name = std::move(name);
  node->info = {.name = node->name,
                .arity = static_cast<int>(inputs.size()),
                .differentiable = true,
                .reaches_others = reaches_others,
                .gradient = &call_backward,
                .release_saved = [](Node& self) noexcept { static_cast<FunctionNode&>(self).backward = nullptr; }};
  node->op = &node->info;
  node->sequence = feral::detail::next_sequence();
  node->backward = std::move(backward);
  node->edge_list.resize(inputs.size());
  node->edges = node->edge_list.data();
  node->edge_count = static_cast<int>(inputs.size());
  node->destroy = [](TapeNode& self) noexcept {
    auto& typed = static_cast<FunctionNode&>(self);
    for (Edge& edge : typed.edge_list) {
      if (edge.node != nullptr) release(edge.node);
    }
    delete &typed;
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    node->dtypes.push_back(inputs[i].defined() ? inputs[i].dtype() : DType::float32);
    feral::detail::connect(node->edge_list[i], inputs[i]);
  }
  feral::detail::attach(node, output);
}

Tensor custom_function(std::string name, const Tensor& output, const std::vector<Tensor>& inputs,
                       BackwardFunction backward) {
  if (!output.defined()) fail("{}: the output is undefined", name);
  if (!backward) fail("{}: the function for the gradient is empty", name);
  if (output.requires_grad()) {
    fail("{}: the output is on the tape already; compute it under NoGradGuard, or pass output.detach()", name);
  }
  const bool wanted = std::ranges::any_of(inputs, [](const Tensor& input) { return input.requires_grad(); });
  if (!GradMode::enabled() || !wanted) return output;
  if (!is_floating(output.dtype())) fail("{}: {} has no gradient", name, output.to_string());
  // A handle of its own: the caller's may be an input as well.
  const Tensor result = output.detach();
  record_function(std::move(name), result, inputs, std::move(backward));
  return result;
}

}  // namespace feral::autograd
