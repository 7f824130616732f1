// The way back: Tensor::backward.
#include <algorithm>
#include <memory>
#include <vector>

#include "autograd/grad_mode.hpp"
#include "autograd/node.hpp"
#include "autograd/op.hpp"
#include "core/fail.hpp"
#include "tensor/kernels.hpp"

namespace feral {

std::uint64_t detail::next_sequence() noexcept {
  static thread_local std::uint64_t sequence = 0;
  return ++sequence;
}

namespace {

// Nodes that have all or part of their gradient, the latest recorded first. An op's inputs were recorded before it,
// so when a node comes to the top every op that used its result has been through: no count of users is needed.
class Queue {
 public:
  // Borrows the memory that `lender` has for its own lifetime.
  explicit Queue(std::vector<Node*>& lender) noexcept : heap_(std::move(lender)), lender_(lender) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() { lender_ = std::move(heap_); }

  void push(Node* node) {
    if (node->queued) return;
    node->queued = true;
    retain(node);
    heap_.push_back(node);
    std::push_heap(heap_.begin(), heap_.end(), earlier);
  }

  // The caller takes the reference over.
  Node* pop() noexcept {
    std::pop_heap(heap_.begin(), heap_.end(), earlier);
    Node* node = heap_.back();
    heap_.pop_back();
    node->queued = false;
    return node;
  }

  bool empty() const noexcept { return heap_.empty(); }

  // After an error: forget what was under way.
  void clear() noexcept {
    while (!empty()) {
      Node* node = pop();
      node->incoming = {};
      release(node);
    }
  }

 private:
  static bool earlier(const Node* a, const Node* b) noexcept { return a->sequence < b->sequence; }
  std::vector<Node*> heap_;
  std::vector<Node*>& lender_;
};

// Whether nobody else can see the tensor's memory, so that it may be added to in place or kept.
bool exclusive(const Tensor& tensor) noexcept {
  const TensorImpl* impl = tensor.impl();
  return impl->references == 1 && impl->storage->references == 1 && impl->contiguous && impl->producer == nullptr;
}

void accumulate(Tensor& sum, Tensor gradient) {
  if (!sum.defined()) {
    sum = std::move(gradient);
  } else if (!GradMode::enabled() && exclusive(sum)) {
    kernels(sum.device()).binary(BinaryKernel::add, sum, sum, gradient);
  } else {
    sum = sum + gradient;
  }
}

void accumulate_leaf(const Tensor& leaf, Tensor gradient) {
  Tensor sum = leaf.grad();
  if (!sum.defined()) {
    // A gradient that is an expanded view, or shared with another leaf, must become memory of its own: later ones
    // are added to it in place. One that is on the tape never is.
    const bool kept = exclusive(gradient) || (node_of(gradient) != nullptr && gradient.is_contiguous());
    leaf.set_grad(kept ? std::move(gradient) : gradient.clone());
  } else if (!GradMode::enabled() && sum.is_contiguous() && sum.impl()->producer == nullptr) {
    kernels(sum.device()).binary(BinaryKernel::add, sum, sum, gradient);
  } else {
    leaf.set_grad(sum + gradient);
  }
}

// The gradients of one node's inputs: a few in place, a long list in a block of the caching allocator.
class Gathered {
 public:
  explicit Gathered(int count) : count_(count) {
    if (count > few) {
      tensors_ = static_cast<Tensor*>(allocate_block(static_cast<std::size_t>(count) * sizeof(Tensor)));
      std::uninitialized_default_construct_n(tensors_, count);
    }
  }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;
  ~Gathered() {
    if (count_ <= few) return;
    std::destroy_n(tensors_, count_);
    deallocate_block(tensors_, static_cast<std::size_t>(count_) * sizeof(Tensor));
  }
  Tensor* begin() noexcept { return tensors_; }
  Tensor& operator[](int i) noexcept { return tensors_[i]; }

 private:
  static constexpr int few = 4;
  Tensor in_place_[few];
  Tensor* tensors_ = in_place_;
  int count_;
};

// Passes `gradient` of one node's output on to its inputs.
void step_back(Node& node, const Tensor& gradient, Queue& queue) {
  if (node.released) {
    fail("backward: the tape of '{}' has been freed by an earlier backward; pass retain_graph = true to that one",
         node.op->name);
  }
  Gathered gradients(node.edge_count);
  node.op->gradient(node, gradient, gradients.begin());
  for (int i = 0; i < node.edge_count; ++i) {
    if (!node.needs(i)) continue;
    if (!gradients[i].defined()) continue;  // the output does not depend on this input
    FERAL_ASSERT(gradients[i].shape() == node.input_shape(i));
    Edge& edge = node.edges[i];
    if (edge.node != nullptr) {
      accumulate(edge.node->incoming, std::move(gradients[i]));
      queue.push(edge.node);
    } else {
      accumulate_leaf(edge.leaf, std::move(gradients[i]));
    }
  }
}

}  // namespace

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  if (!defined()) fail("backward: the tensor is undefined");
  if (!requires_grad()) {
    fail("backward: this tensor of shape {} depends on no tensor that requires a gradient", shape().to_string());
  }
  Tensor start = gradient;
  if (!start.defined()) {
    if (numel() != 1) {
      fail("backward: a tensor of shape {} is no scalar; pass the gradient to start from", shape().to_string());
    }
    start = ones(shape(), dtype());
  } else if (!(start.shape() == shape()) || start.dtype() != dtype()) {
    fail("backward: the gradient is {}, the tensor {}", start.to_string(), to_string());
  }

  const GradModeGuard mode(create_graph);
  Node* root = node_of(*this);
  if (root == nullptr) {
    accumulate_leaf(*this, start.clone());
    return;
  }
  // The memory is kept between calls; a backward within a gradient (checkpointing) has a queue of its own.
  static thread_local std::vector<Node*> memory;
  Queue queue(memory);
  root->incoming = std::move(start);
  queue.push(root);
  while (!queue.empty()) {
    Node* node = queue.pop();
    try {
      const Tensor arrived = std::exchange(node->incoming, {});
      step_back(*node, arrived, queue);
    } catch (...) {
      release(node);
      queue.clear();
      throw;
    }
    if (!retain_graph && !create_graph) {
      node->op->release_saved(*node);
      node->released = true;
    }
    release(node);
  }
}

}  // namespace feral
