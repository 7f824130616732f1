// Rows of a table of vectors, looked up by index.
#pragma once

#include "autograd/op.hpp"
#include "tensor/kernels.hpp"

namespace feral {

struct EmbeddingOptions {
  std::int64_t padding_idx = -1;  // the row that gets no gradient; -1: none
  // The gradient goes to weight.sparse_grad(): only the rows that were read, each once. weight must be a leaf;
  // autograd::grad, create_graph and hooks do not see such gradients (the first two refuse them).
  bool sparse = false;
};

// The rows of weight [n, d] that `indices` (int64 or int32, any shape) name: [indices..., d]. Throws feral::Error
// for an index outside of [0, n).
Tensor embedding(const Tensor& weight, const Tensor& indices, const EmbeddingOptions& options = {});

enum class Bag : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  Bag mode = Bag::mean;
  bool include_last_offset = false;  // the last offset is no bag's beginning but the end of the last bag
  std::int64_t padding_idx = -1;     // indices that take no part; -1: none
  bool sparse = false;               // as in EmbeddingOptions; not for Bag::max
};

// PyTorch's: the rows of weight [n, d] (float32 or float64) reduced bag by bag: [bags, d]; an empty bag is 0. Bag b
// is indices[offsets[b]] up to before indices[offsets[b + 1]], the last one goes to the end; indices [m] and
// offsets [bags] are int64 or int32. With indices [bags, k] and undefined offsets every row is a bag.
// per_sample_weights, for Bag::sum alone, are of indices' shape and weight's type: each row is multiplied by its
// weight first.
Tensor embedding_bag(const Tensor& weight, const Tensor& indices, const Tensor& offsets,
                     const EmbeddingBagOptions& options = {}, const Tensor& per_sample_weights = {});

namespace ops {

// weight [n, d]; indices int64.
struct Embedding {
  static constexpr std::string_view name = "embedding";
  static constexpr int arity = 2;
  static constexpr unsigned saved_inputs = 0b10;
  struct Attributes {
    std::int64_t padding_idx = -1;
    bool sparse = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& weight, const Tensor& indices);
  static void run(const Attributes&, const Tensor& out, Aux<Embedding>&, const Tensor& weight,
                  const Tensor& indices);
  static Gradients<2> gradient(const Saved<Embedding>& saved, const Tensor& gradient);
};

// weight [n, d]; indices int64 [m]; bounds int64 [bags + 1]: bag b is [bounds[b], bounds[b + 1]); scales [m] or
// undefined.
struct EmbeddingBag {
  static constexpr std::string_view name = "embedding_bag";
  static constexpr int arity = 4;
  static constexpr unsigned saved_inputs = 0b1111;
  static constexpr int aux = 1;  // for Bag::max: which row each element came from
  struct Attributes {
    Bag mode = Bag::mean;
    std::int64_t padding_idx = -1;
    bool sparse = false;
  };
  static Result infer(const Attributes& attributes, const Tensor& weight, const Tensor& indices,
                      const Tensor& bounds, const Tensor& scales);
  static void run(const Attributes& attributes, const Tensor& out, Aux<EmbeddingBag>& aux, const Tensor& weight,
                  const Tensor& indices, const Tensor& bounds, const Tensor& scales);
  static Gradients<4> gradient(const Saved<EmbeddingBag>& saved, const Tensor& gradient);
};

}  // namespace ops
}  // namespace feral
