// Multi-head attention.
#pragma once

#include <cstdint>

#include "nn/linear.hpp"
#include "nn/module.hpp"

namespace feral::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, while training
  bool bias = true;
  std::int64_t kdim = -1;  // features of the keys and values; -1: embed_dim
  std::int64_t vdim = -1;
  bool batch_first = false;
};

struct AttentionCall {
  // [n, s] or, without a batch, [s]: bool, true for keys that nobody may look at, or numbers added to the scores.
  Tensor key_padding_mask = {};
  // [l, s] or [n * num_heads, l, s]: bool, true where a query may not look, or numbers added to the scores.
  Tensor attn_mask = {};
  bool need_weights = true;
  bool average_attn_weights = true;  // over the heads
  bool is_causal = false;            // as if attn_mask were true above the diagonal; not together with it
};

struct AttentionOutput {
  Tensor output;   // of the query's layout
  Tensor weights;  // [n, l, s], [n, num_heads, l, s] when not averaged; undefined unless needed
};

// PyTorch's. query [l, n, embed_dim], key [s, n, kdim], value [s, n, vdim]; [n, l, embed_dim] … when batch_first;
// without n, unbatched. Parameters: in_proj_weight [3 * embed_dim, embed_dim] (q_proj_weight, k_proj_weight,
// v_proj_weight where kdim or vdim is another one), in_proj_bias, out_proj.weight, out_proj.bias. Weights start
// within Glorot's bounds, biases at 0. A query that may look at no key gets the output of 0, not NaN. add_bias_kv
// and add_zero_attn are not supported.
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options = {});
  // Self-attention, without weights.
  Tensor forward(const Tensor& x) override;
  AttentionOutput forward(const Tensor& query, const Tensor& key, const Tensor& value,
                          const AttentionCall& call = {});
  std::string extra_repr() const override;

  Tensor in_proj_weight;
  Tensor q_proj_weight, k_proj_weight, v_proj_weight;
  Tensor in_proj_bias;
  Linear out_proj;

 private:
  void check(const Tensor& query, const Tensor& key, const Tensor& value) const;
  // The masks as one that is added to the scores [n, heads, l, s]; undefined without any.
  Tensor merged_mask(const AttentionCall& call, const Tensor& query, std::int64_t n, std::int64_t rows,
                     std::int64_t columns) const;
  Tensor project(const Tensor& x, std::int64_t part) const;

  std::int64_t embed_dim_;
  std::int64_t num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace feral::nn
