#include "autograd/route.hpp"

#include <algorithm>

namespace feral::autograd {
namespace {

enum : std::uint8_t { unseen, seen, leads };

bool leads_to_input(const Edge& edge, std::span<const Tensor> inputs) {
  if (edge.node != nullptr) return edge.node->mark == leads;
  return edge.leaf.defined() &&
         std::ranges::any_of(inputs, [&](const Tensor& input) { return input.impl() == edge.leaf.impl(); });
}

}  // namespace

Route::Route(std::span<const Tensor> roots, std::span<const Tensor> inputs) : outer_(current_) {
  if (outer_ != nullptr) outer_->set_aside();
  current_ = this;
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
    if (node->op->reaches_others) node->mark = leads;  // nobody knows what it captured
    for (int i = 0; i < node->edge_count; ++i) {
      if (leads_to_input(node->edges[i], inputs)) {
        node->mark = leads;
      } else if (i < 64) {
        node->skip |= std::uint64_t{1} << i;
      }
    }
  }
}

Route::~Route() {
  for (Node* node : nodes_) {
    node->mark = unseen;
    node->skip = 0;
    release(node);
  }
  current_ = outer_;
  if (outer_ != nullptr) outer_->take_up();
}

void Route::set_aside() {
  for (Node* node : nodes_) {
    aside_.emplace_back(std::exchange(node->mark, std::uint8_t{unseen}), std::exchange(node->skip, 0));
  }
}

void Route::take_up() noexcept {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i]->mark = aside_[i].first;
    nodes_[i]->skip = aside_[i].second;
  }
  aside_.clear();
}

}  // namespace feral::autograd
