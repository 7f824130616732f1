#include "autograd/grad.hpp"

#include <algorithm>

#include "autograd/engine.hpp"
#include "autograd/node.hpp"
#include "core/fail.hpp"

namespace feral::autograd {
namespace {

// Marks on every edge behind the roots whether it leads to an input, for the length of a pass: what does not is not
// computed. Keeps the nodes alive meanwhile.
class Route {
 public:
  Route(std::span<const Tensor> roots, std::span<const Tensor> inputs) {
    std::vector<Node*> open;
    const auto meet = [&](Node* node) {
      if (node == nullptr || node->mark != unseen) return;
      node->mark = seen;
      retain(node);
      nodes_.push_back(node);
      open.push_back(node);
    };
    for (const Tensor& root : roots) meet(node_of(root));
    while (!open.empty()) {
      Node* node = open.back();
      open.pop_back();
      for (int i = 0; i < node->edge_count; ++i) meet(node->edges[i].node);
    }
    // Inputs of an op were recorded before it.
    std::ranges::sort(nodes_, {}, &Node::sequence);
    for (const Tensor& input : inputs) {
      if (Node* node = node_of(input); node != nullptr && node->mark == seen) node->mark = leads;
    }
    for (Node* node : nodes_) {
      for (int i = 0; i < node->edge_count; ++i) {
        if (leads_to_input(node->edges[i], inputs)) {
          node->mark = leads;
        } else if (i < 64) {
          node->skip |= std::uint64_t{1} << i;
        }
      }
    }
  }
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;
  ~Route() {
    for (Node* node : nodes_) {
      node->mark = unseen;
      node->skip = 0;
      release(node);
    }
  }

 private:
  enum : std::uint8_t { unseen, seen, leads };

  static bool leads_to_input(const Edge& edge, std::span<const Tensor> inputs) {
    if (edge.node != nullptr) return edge.node->mark == leads;
    return edge.leaf.defined() &&
           std::ranges::any_of(inputs, [&](const Tensor& input) { return input.impl() == edge.leaf.impl(); });
  }

  std::vector<Node*> nodes_;
};

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
