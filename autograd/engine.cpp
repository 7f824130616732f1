#include "autograd/engine.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "autograd/anomaly.hpp"
#include "autograd/anomaly_check.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/node_extras.hpp"
#include "autograd/route.hpp"
#include "core/fail.hpp"
#include "tensor/allocator.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"

namespace feral {

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

  // For a pass that runs inside of this one, in a hook or a gradient: to it these nodes are not queued, and have
  // got nothing yet.
  std::vector<Tensor> set_aside() {
    std::vector<Tensor> incoming;
    for (Node* node : heap_) {
      incoming.push_back(std::exchange(node->incoming, {}));
      node->queued = false;
    }
    return incoming;
  }
  void take_up(std::vector<Tensor> incoming) noexcept {
    for (std::size_t i = 0; i < heap_.size(); ++i) {
      heap_[i]->incoming = std::move(incoming[i]);
      heap_[i]->queued = true;
    }
  }

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
  return impl->references == 1 && impl->storage->references == 1 && impl->storage->release != nullptr &&
         impl->storage->deleter == nullptr && impl->contiguous && impl->producer == nullptr &&
         !is_half(impl->dtype);
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
    // are added to it in place, and clipping writes it.
    leaf.set_grad(exclusive(gradient) ? std::move(gradient) : gradient.clone());
  } else if (!GradMode::enabled() && sum.is_contiguous() && sum.impl()->producer == nullptr &&
             !is_half(sum.dtype())) {
    sum.touch();
    kernels(sum.device()).binary(BinaryKernel::add, sum, sum, apart_from(sum, gradient));
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

// What the hooks make of a gradient.
Tensor hooked(const GradientExtras& extras, Tensor gradient) {
  const std::vector<GradientExtras::Hook> hooks = extras.hooks;  // they may add and remove hooks
  for (const GradientExtras::Hook& hook : hooks) {
    Tensor other = hook.function(gradient);
    if (!other.defined()) continue;
    if (!(other.shape() == gradient.shape()) || other.dtype() != gradient.dtype()) {
      fail("backward: a hook answered {} to a gradient that is {}", other.to_string(), gradient.to_string());
    }
    gradient = std::move(other);
  }
  return gradient;
}

bool has_hooks(const Tensor& leaf) noexcept {
  return leaf.impl()->extras != nullptr && !leaf.impl()->extras->hooks.empty();
}

// One way back.
class Pass {
 public:
  // Borrows the memory that `lender` has for its own lifetime.
  Pass(const BackwardOptions& options, std::vector<Node*>& lender)
      : options_(options), outer_(current), queue_(lender) {
    if (outer_ != nullptr) outer_->aside_ = outer_->queue_.set_aside();
    current = this;
  }
  ~Pass() {
    current = outer_;
    if (outer_ != nullptr) outer_->queue_.take_up(std::move(outer_->aside_));
  }

  void run(std::span<const Tensor> roots, std::span<const Tensor> gradients) {
    for (std::size_t i = 0; i < roots.size(); ++i) {
      if (Node* node = node_of(roots[i]); node != nullptr) {
        accumulate(node->incoming, gradients[i]);
        queue_.push(node);
      } else {
        reach_leaf(roots[i], gradients[i]);
      }
    }
    while (!queue_.empty()) {
      Node* node = queue_.pop();
      try {
        visit(*node);
      } catch (...) {
        node->incoming = {};
        release(node);
        queue_.clear();
        throw;
      }
      release(node);
    }
    for (auto& [leaf, sum] : waiting_) give_leaf(leaf, hooked(*leaf.impl()->extras, std::move(sum)));
  }

 private:
  void visit(Node& node) {
    Tensor arrived = std::exchange(node.incoming, {});
    if (node.extras != nullptr) arrived = hooked(node.extras->gradient, std::move(arrived));
    if (options_.inputs.empty()) {
      if (node.retainer != nullptr) retain_for(*node.retainer, arrived);
    } else {
      capture(nullptr, &node, arrived);
    }
    bool wanted = node.op->reaches_others;
    for (int i = 0; i < node.edge_count && !wanted; ++i) wanted = node.needs(i);
    if (!wanted) return;
    step_back(node, arrived);
    if (!options_.retain_graph) {
      node.op->release_saved(node);
      node.released = true;
    }
  }

  // Passes `gradient` of one node's output on to its inputs.
  void step_back(Node& node, const Tensor& gradient) {
    if (node.released) {
      fail("backward: the tape of '{}' has been freed by an earlier backward; pass retain_graph = true to that one",
           node.op->name);
    }
    Gathered gradients(node.edge_count);
    // Those of halves are computed in float32.
    node.op->gradient(node, is_half(gradient.dtype()) ? gradient.to(DType::float32) : gradient, gradients.begin());
    for (int i = 0; i < node.edge_count; ++i) {
      if (!node.needs(i)) continue;
      if (!gradients[i].defined()) continue;  // the output does not depend on this input
      const DType dtype =
          node.edges[i].node != nullptr ? node.edges[i].node->output_dtype : node.edges[i].leaf.dtype();
      if (is_half(dtype)) gradients[i] = gradients[i].to(dtype);
      if (!(gradients[i].shape() == node.input_shape(i)) || gradients[i].dtype() != dtype) {
        fail("backward: '{}' answered {} as gradient of input {}, which is {} {}; was it converted since?",
             node.op->name, gradients[i].to_string(), i, name_of(dtype), node.input_shape(i).to_string());
      }
      if (AnomalyMode::enabled()) check_finite(node, i, gradients[i]);
      Edge& edge = node.edges[i];
      if (edge.node != nullptr) {
        accumulate(edge.node->incoming, std::move(gradients[i]));
        queue_.push(edge.node);
      } else {
        reach_leaf(edge.leaf, std::move(gradients[i]));
      }
    }
  }

  void reach_leaf(const Tensor& leaf, Tensor gradient) {
    if (!has_hooks(leaf)) return give_leaf(leaf, std::move(gradient));
    // Hooks see all that this pass brings, once.
    for (auto& [known, sum] : waiting_) {
      if (known.impl() == leaf.impl()) return accumulate(sum, std::move(gradient));
    }
    waiting_.push_back({leaf, std::move(gradient)});
  }

  void give_leaf(const Tensor& leaf, Tensor gradient) {
    if (options_.inputs.empty()) {
      accumulate_leaf(leaf, std::move(gradient));
    } else {
      capture(leaf.impl(), nullptr, gradient);
    }
  }

  // Adds to the answers for the inputs that are this leaf, or this node's result.
  void capture(const TensorImpl* leaf, const Node* node, const Tensor& gradient) {
    for (std::size_t i = 0; i < options_.inputs.size(); ++i) {
      const Tensor& input = options_.inputs[i];
      const bool asked = leaf != nullptr ? input.impl() == leaf : node_of(input) == node;
      if (!asked) continue;
      Tensor& answer = options_.answers[i];
      // Never in place: the gradient may be on its way elsewhere.
      answer = answer.defined() ? answer + gradient : gradient;
    }
  }

  static void retain_for(TensorImpl& tensor, const Tensor& gradient) {
    tensor.retain();
    const Tensor handle = Tensor::adopt(&tensor);
    const Tensor before = handle.grad();
    handle.set_grad(before.defined() ? before + gradient : gradient.clone());
  }

  static inline thread_local Pass* current = nullptr;
  const BackwardOptions& options_;
  Pass* outer_;
  std::vector<Tensor> aside_;
  Queue queue_;
  std::vector<std::pair<Tensor, Tensor>> waiting_;  // leaves with hooks, and what has come for them
};

}  // namespace

namespace {
thread_local bool collecting = false;
}  // namespace

bool collects_answers() noexcept { return collecting; }

void run_backward(std::span<const Tensor> roots, std::span<const Tensor> gradients,
                  const BackwardOptions& options) {
  const GradModeGuard mode(options.create_graph);
  // The memory is kept between calls; a backward within a gradient (checkpointing) has a queue of its own.
  static thread_local std::vector<Node*> memory;
  const autograd::RouteAside whole(options.inputs.empty());
  const bool outer = std::exchange(collecting, !options.inputs.empty());
  struct Restore {
    bool value;
    ~Restore() { collecting = value; }
  } const restore{outer};
  Pass(options, memory).run(roots, gradients);
}

Tensor start_of(std::string_view op, const Tensor& root, const Tensor& gradient) {
  if (!root.defined()) fail("{}: the tensor is undefined", op);
  if (!root.requires_grad()) {
    fail("{}: this tensor of shape {} depends on no tensor that requires a gradient", op, root.shape().to_string());
  }
  if (gradient.defined()) {
    if (!(gradient.shape() == root.shape()) || gradient.dtype() != root.dtype()) {
      fail("{}: the gradient is {}, the tensor {}", op, gradient.to_string(), root.to_string());
    }
    return node_of(root) != nullptr ? gradient : gradient.clone();
  }
  if (root.numel() != 1) {
    fail("{}: a tensor of shape {} is no scalar; pass the gradient to start from", op, root.shape().to_string());
  }
  return Tensor::ones(root.shape(), root.dtype());
}

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  const Tensor start = start_of("backward", *this, gradient);
  run_backward(
      {this, 1}, {&start, 1},
      {.retain_graph = retain_graph || create_graph, .create_graph = create_graph, .inputs = {}, .answers = {}});
}

}  // namespace feral
