// Scaled dot-product attention; Vaswani et al., "Attention is all you need", 2017.
#pragma once

#include "autograd/op.hpp"
#include "tensor/generator.hpp"
#include "tensor/kernels.hpp"

namespace feral {

struct AttentionOptions {
  double dropout = 0;      // of the weights
  bool is_causal = false;  // row i of the queries sees the first i + 1 keys; not together with a mask
  double scale = 0;        // of the scores; 0: 1/√d
};

// softmax(scale × query × keyᵀ + mask) × value: query [..., l, d], key [..., s, d], value [..., s, e] → [..., l,
// e], with up to two equal dimensions before the last two. The mask broadcasts to [..., l, s]: bool, true where a
// query may look, or of the inputs' type, added to the scores. A query that sees no key gets 0. float32 and
// float64.
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Tensor& mask = {}, const AttentionOptions& options = {},
                                    Generator& generator = default_generator());

namespace ops {

// How the inputs are laid out: [b, l, h, d], or [l, b, h, d] when sequence_first; all three in one tensor
// [b, l, 3, h, d] (with key and value undefined) when packed. The result is [b, l, h, e], or [l, b, h, e].
struct Attention {
  static constexpr std::string_view name = "scaled_dot_product_attention";
  static constexpr int arity = 4;  // query, key, value, mask [b or 1, h or 1, l or 1, s or 1] or undefined
  static constexpr unsigned saved_inputs = 0b1111;
  static constexpr int aux = 1;  // the weights
  struct Attributes {
    double scale = 1;
    bool causal = false;
    bool sequence_first = false;
    bool packed = false;
    bool drops = false;
    DropoutDraw draw = {};
  };
  static Result infer(const Attributes& attributes, const Tensor& query, const Tensor& key, const Tensor& value,
                      const Tensor& mask);
  static void run(const Attributes& attributes, const Tensor& out, Aux<Attention>& aux, const Tensor& query,
                  const Tensor& key, const Tensor& value, const Tensor& mask);
  static Gradients<4> gradient(const Saved<Attention>& saved, const Tensor& gradient);
};

// Attention as a composition, [b, h, rows, columns] throughout: what gives the weights, too.
struct ComposedAttention {
  Tensor output;
  Tensor weights;  // before dropout
  Tensor dropped;  // after it
};
ComposedAttention composed_attention(const Attention::Attributes& attributes, const Tensor& query,
                                     const Tensor& key, const Tensor& value, const Tensor& mask);

// The draw at the generator's position, which stays where it is.
DropoutDraw next_draw(double probability, const Generator& generator);

}  // namespace ops
}  // namespace feral
