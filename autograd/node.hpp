// The tape: what is left of an op after it ran, for the way back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tensor/tensor.hpp"

namespace feral {

struct Node;

// The arity of an op that takes a list of tensors.
inline constexpr int variadic = -1;

// What the engine, gradient checking and the registry see of an op: its description without its types.
struct OpInfo {
  std::string_view name;
  int arity = 0;  // number of tensor inputs; `variadic` where each node has its own
  bool differentiable = false;
  bool reaches_others = false;  // its gradient is wanted even if no input needs one: it goes to captured tensors
  // Gradients of the inputs, one for each that node.needs(); `out` has node.edge_count undefined tensors. Computed
  // with ops, so that with gradients enabled they are recorded in turn.
  void (*gradient)(Node& node, const Tensor& gradient, Tensor* out) = nullptr;
  // Lets go of what the node saved.
  void (*release_saved)(Node& node) noexcept = nullptr;
};

// Where the gradient of one input goes: to the node that made it, or into a leaf, or nowhere.
struct Edge {
  Node* node = nullptr;  // counted
  Tensor leaf;
};

struct NodeExtras;  // autograd/node_extras.hpp

struct Node : TapeNode {
  const OpInfo* op = nullptr;
  std::uint64_t sequence = 0;  // later ops have larger numbers (of the thread): the order of the way back
  Edge* edges = nullptr;
  int edge_count = 0;  // number of tensor inputs
  Shape output_shape;
  DType output_dtype = DType::float32;
  Device output_device = Device::cpu;
  bool queued = false;           // in the engine's queue
  bool released = false;         // what it saved is gone
  std::uint8_t mark = 0;         // grad(): how far the search for its inputs has come
  std::uint64_t skip = 0;        // grad(): bit i: nothing that is asked for lies behind input i
  Tensor incoming;               // d(root)/d(output), as far as it has been added up
  NodeExtras* extras = nullptr;  // hooks, where it was recorded; owned, most nodes have none

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    if (extras != nullptr) drop_extras();
  }

  bool needs(int input) const noexcept {
    if (input < 64 && (skip >> input & 1U) != 0) return false;
    return edges[input].node != nullptr || edges[input].leaf.defined();
  }
  // The shape of an input that needs a gradient.
  const Shape& input_shape(int input) const noexcept {
    return edges[input].node != nullptr ? edges[input].node->output_shape : edges[input].leaf.shape();
  }

 private:
  void drop_extras() noexcept;
};

inline Node* node_of(const Tensor& tensor) noexcept { return static_cast<Node*>(tensor.impl()->producer); }

}  // namespace feral
