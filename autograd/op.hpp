// An op is one description (law 6): a struct of typed static functions.
//
//   struct Mul {
//     static constexpr std::string_view name = "mul";
//     static constexpr int arity = 2;                       // tensor inputs; an undefined Tensor stands for "none"
//     static constexpr unsigned saved_inputs = 0b11;        // bit i: input i is kept for the way back
//     struct Attributes {};                                 // trivially copyable; what is not a tensor
//     static Result infer(const Attributes&, a, b);         // shape and type rule: checks, throws feral::Error
//     static void run(const Attributes&, const Tensor& out, Aux<Mul>&, a, b);   // calls the device's kernel
//     static Gradients<2> gradient(const Saved<Mul>&, const Tensor& gradient);  // in other ops
//   };
//   Tensor Tensor::mul(const Tensor& other) const { return apply<Mul>({}, *this, other); }
//
// A view has `static Tensor view(const Attributes&, x)` in the place of infer and run. Further members, when
// wanted: `saves_output` (the result is kept), `aux` (number of further tensors that run() leaves for the way back;
// they are undefined, and not to be computed, when nothing is recorded), `differentiable = false` (and no
// gradient).
//
// An op on a list of tensors has arity = variadic, takes a std::span<const Tensor> for its inputs, saves none of
// them, and writes its gradients: `static void gradient(const SavedList<Op>&, const Tensor& gradient,
// std::span<Tensor> out)`; it is run by apply_list. An op with several results packs them into one and hands out
// views of it.
//
// Every op stands in the list of autograd/ops/registry.cpp.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "autograd/anomaly.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/last_op.hpp"
#include "autograd/node.hpp"
#include "tensor/allocator.hpp"
#include "tensor/tensor.hpp"

namespace feral {

// What infer() answers: the tensor to be made.
struct Result {
  Shape shape;
  DType dtype = DType::float32;
  Device device = Device::cpu;
};

template <int arity>
using Gradients = std::array<Tensor, arity>;

namespace detail {

template <class Op>
constexpr unsigned saved_inputs() {
  if constexpr (requires { Op::saved_inputs; }) {
    return Op::saved_inputs;
  } else {
    return 0;
  }
}
template <class Op>
constexpr bool saves_output() {
  if constexpr (requires { Op::saves_output; }) {
    return Op::saves_output;
  } else {
    return false;
  }
}
template <class Op>
constexpr int aux_count() {
  if constexpr (requires { Op::aux; }) {
    return Op::aux;
  } else {
    return 0;
  }
}
template <class Op>
constexpr bool differentiable() {
  if constexpr (requires { Op::differentiable; }) {
    return Op::differentiable;
  } else {
    return true;
  }
}
template <class Op>
constexpr bool is_view() {
  return requires { &Op::view; };
}

// The next sequence number of the calling thread.
inline thread_local std::uint64_t last_sequence = 0;
inline std::uint64_t next_sequence() noexcept { return ++last_sequence; }

// Throws feral::Error: a tensor that `node` saved has been written since.
[[noreturn]] void refuse_stale(const Node& node, const Tensor& saved);

// Keeps where `node` is being recorded.
void keep_origin(Node& node);

// Connects an edge to what made `input`.
inline void connect(Edge& edge, const Tensor& input) noexcept {
  if (!input.requires_grad()) return;
  if (Node* producer = node_of(input); producer != nullptr) {
    retain(producer);
    edge.node = producer;
  } else {
    edge.leaf = input;
  }
}

// Makes `output` the result of `node`.
inline void attach(Node* node, const Tensor& output) {
  if (AnomalyMode::enabled()) keep_origin(*node);
  node->output_shape = output.shape();
  node->output_dtype = output.dtype();
  node->output_device = output.device();
  output.impl()->producer = node;
  output.impl()->requires_grad = true;
}

}  // namespace detail

// Tensors that run() leaves for gradient(), beside inputs and output.
template <class Op>
struct Aux {
  bool wanted = false;  // false: nothing is recorded, leave them undefined
  std::array<Tensor, static_cast<std::size_t>(detail::aux_count<Op>())> tensors;
  Tensor& operator[](int i) { return tensors[static_cast<std::size_t>(i)]; }
};

// An op's result as its node keeps it: off the tape, or node and result would keep each other alive.
class SavedOutput {
 public:
  SavedOutput() = default;
  SavedOutput(const SavedOutput&) = delete;
  SavedOutput& operator=(const SavedOutput&) = delete;
  ~SavedOutput() { drop(); }
  void keep(const Tensor& output) {
    tensor_ = output.detach();
    ++tensor_.impl()->storage->saved;
  }
  void drop() noexcept {
    if (!tensor_.defined()) return;
    --tensor_.impl()->storage->saved;
    tensor_ = {};
  }
  const Tensor& get() const noexcept { return tensor_; }

 private:
  Tensor tensor_;
};

// A node with what its op saved, typed.
template <class Op>
struct OpNode : Node {
  static constexpr int arity = Op::arity;
  typename Op::Attributes attributes;
  std::array<Edge, static_cast<std::size_t>(arity)> edge_array;
  std::array<Tensor, static_cast<std::size_t>(arity)> inputs;  // those of saved_inputs
  std::array<std::uint32_t, static_cast<std::size_t>(arity) + 1>
      versions;  // when they were saved; then the output's
  std::array<Tensor, static_cast<std::size_t>(detail::aux_count<Op>())> aux;
  SavedOutput output;

  static OpNode* create(const typename Op::Attributes& attributes);
};

// What gradient() is given.
template <class Op>
class Saved {
 public:
  explicit Saved(OpNode<Op>& node) noexcept : node_(node) {}
  const typename Op::Attributes& attributes() const noexcept { return node_.attributes; }
  bool needs(int input) const noexcept { return node_.needs(input); }
  // Of an input that needs a gradient.
  const Shape& input_shape(int input) const noexcept { return node_.input_shape(input); }
  // Throws feral::Error when it has been written since.
  const Tensor& input(int i) const {
    const Tensor& input = node_.inputs[static_cast<std::size_t>(i)];
    if (input.defined() && input.version() != node_.versions[static_cast<std::size_t>(i)]) {
      detail::refuse_stale(node_, input);
    }
    return input;
  }
  // The leaf that is input i; undefined when an op made it.
  const Tensor& leaf(int i) const noexcept { return node_.edges[i].leaf; }
  const Tensor& aux(int i) const noexcept { return node_.aux[static_cast<std::size_t>(i)]; }
  // The op's result; on the tape again when the gradient itself is being recorded.
  Tensor output() const {
    const Tensor& output = node_.output.get();
    if (output.version() != node_.versions.back()) detail::refuse_stale(node_, output);
    const Tensor copy = output.detach();
    if (GradMode::enabled()) {
      retain(&node_);
      copy.impl()->producer = &node_;
      copy.impl()->requires_grad = true;
    }
    return copy;
  }

 private:
  OpNode<Op>& node_;
};

// What an op on a list is told about an input on the way back, whether that one needs a gradient or not.
struct ListInput {
  Shape shape;
  DType dtype = DType::float32;
};

// The node of an op on a list. Its edges stand behind it in its block, then its inputs' shapes and types.
template <class Op>
struct ListNode : Node {
  typename Op::Attributes attributes;
  ListInput* inputs = nullptr;

  static std::size_t bytes_of(int count) noexcept {
    return sizeof(ListNode) + static_cast<std::size_t>(count) * (sizeof(Edge) + sizeof(ListInput));
  }
};

// What gradient() of an op on a list is given.
template <class Op>
class SavedList {
 public:
  explicit SavedList(const ListNode<Op>& node) noexcept : node_(node) {}
  const typename Op::Attributes& attributes() const noexcept { return node_.attributes; }
  bool needs(std::size_t input) const noexcept { return node_.needs(static_cast<int>(input)); }
  const Shape& input_shape(std::size_t input) const noexcept { return node_.inputs[input].shape; }
  DType input_dtype(std::size_t input) const noexcept { return node_.inputs[input].dtype; }

 private:
  const ListNode<Op>& node_;
};

namespace detail {

template <class Op>
constexpr OpInfo make_info() {
  OpInfo info{.name = Op::name, .arity = Op::arity, .differentiable = differentiable<Op>()};
  if constexpr (differentiable<Op>() && Op::arity == variadic) {
    info.gradient = [](Node& node, const Tensor& gradient, Tensor* out) {
      Op::gradient(SavedList<Op>(static_cast<ListNode<Op>&>(node)), gradient,
                   std::span(out, static_cast<std::size_t>(node.edge_count)));
    };
    info.release_saved = [](Node&) noexcept {};
  } else if constexpr (differentiable<Op>()) {
    info.gradient = [](Node& node, const Tensor& gradient, Tensor* out) {
      Gradients<Op::arity> gradients = Op::gradient(Saved<Op>(static_cast<OpNode<Op>&>(node)), gradient);
      for (int i = 0; i < Op::arity; ++i) out[i] = std::move(gradients[static_cast<std::size_t>(i)]);
    };
    info.release_saved = [](Node& node) noexcept {
      auto& self = static_cast<OpNode<Op>&>(node);
      for (Tensor& tensor : self.inputs) tensor = {};
      for (Tensor& tensor : self.aux) tensor = {};
      self.output.drop();
    };
  }
  return info;
}

}  // namespace detail

// The description without types, one object an op.
template <class Op>
inline constexpr OpInfo op_info = detail::make_info<Op>();

template <class Op>
OpNode<Op>* OpNode<Op>::create(const typename Op::Attributes& attributes) {
  static_assert(std::is_trivially_copyable_v<typename Op::Attributes>);
  auto* node = new (allocate_block(sizeof(OpNode))) OpNode;
  node->op = &op_info<Op>;
  node->sequence = detail::next_sequence();
  node->edges = node->edge_array.data();
  node->edge_count = Op::arity;
  node->attributes = attributes;
  node->destroy = [](TapeNode& self) noexcept {
    auto& typed = static_cast<OpNode&>(self);
    for (Edge& edge : typed.edge_array) {
      if (edge.node != nullptr) release(edge.node);
    }
    typed.~OpNode();
    deallocate_block(&typed, sizeof(OpNode));
  };
  return node;
}

// Runs an op and records it when gradients are enabled and an input requires one.
template <class Op, class... Inputs>
Tensor apply(const typename Op::Attributes& attributes, const Inputs&... inputs) {
  static_assert(sizeof...(Inputs) == Op::arity);
  detail::note_op<Op>();
  const bool record = detail::differentiable<Op>() && GradMode::enabled() && (inputs.requires_grad() || ...);
  Tensor output;
  Aux<Op> aux{.wanted = record, .tensors = {}};
  if constexpr (detail::is_view<Op>()) {
    output = Op::view(attributes, inputs...);
  } else {
    const Result result = Op::infer(attributes, inputs...);
    output = Tensor::empty(result.shape, result.dtype);
    Op::run(attributes, output, aux, inputs...);
  }
  if constexpr (detail::differentiable<Op>()) {
    if (record) {
      OpNode<Op>* node = OpNode<Op>::create(attributes);
      std::size_t i = 0;
      const auto connect = [&](const Tensor& input) {
        detail::connect(node->edge_array[i], input);
        if ((detail::saved_inputs<Op>() >> i & 1U) != 0 && input.defined()) {
          node->inputs[i] = input;
          node->versions[i] = input.version();
        }
        ++i;
      };
      (connect(inputs), ...);
      if constexpr (detail::aux_count<Op>() > 0) node->aux = std::move(aux.tensors);
      if constexpr (detail::saves_output<Op>()) {
        node->output.keep(output);
        node->versions.back() = output.version();
      }
      detail::attach(node, output);
    }
  }
  return output;
}

// The same for an op on a list of tensors, all defined.
template <class Op>
Tensor apply_list(const typename Op::Attributes& attributes, std::span<const Tensor> inputs) {
  static_assert(Op::arity == variadic && std::is_trivially_copyable_v<typename Op::Attributes>);
  detail::note_op<Op>();
  const Result result = Op::infer(attributes, inputs);
  Tensor output = Tensor::empty(result.shape, result.dtype);
  Op::run(attributes, output, inputs);
  bool record = false;
  for (const Tensor& input : inputs) record = record || input.requires_grad();
  if (!record || !GradMode::enabled()) return output;

  const int count = static_cast<int>(inputs.size());
  auto* node = new (allocate_block(ListNode<Op>::bytes_of(count))) ListNode<Op>;
  node->op = &op_info<Op>;
  node->sequence = detail::next_sequence();
  node->attributes = attributes;
  node->edges = reinterpret_cast<Edge*>(node + 1);
  node->edge_count = count;
  std::uninitialized_default_construct_n(node->edges, count);
  node->inputs = reinterpret_cast<ListInput*>(node->edges + count);
  for (int i = 0; i < count; ++i) {
    const Tensor& input = inputs[static_cast<std::size_t>(i)];
    std::construct_at(node->inputs + i, ListInput{input.shape(), input.dtype()});
  }
  node->destroy = [](TapeNode& self) noexcept {
    auto& typed = static_cast<ListNode<Op>&>(self);
    for (int i = 0; i < typed.edge_count; ++i) {
      if (typed.edges[i].node != nullptr) release(typed.edges[i].node);
    }
    const int edges = typed.edge_count;
    std::destroy_n(typed.edges, edges);
    std::destroy_n(typed.inputs, edges);
    typed.~ListNode<Op>();
    deallocate_block(&typed, ListNode<Op>::bytes_of(edges));
  };
  for (int i = 0; i < count; ++i) detail::connect(node->edges[i], inputs[static_cast<std::size_t>(i)]);
  detail::attach(node, output);
  return output;
}

}  // namespace feral
