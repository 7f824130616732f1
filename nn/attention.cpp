#include "nn/attention.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autograd/ops/attention.hpp"
#include "autograd/ops/product.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::nn {
namespace {

std::int64_t positive(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options) {
  if (embed_dim < 1 || num_heads < 1 || embed_dim % num_heads != 0) {
    fail("MultiheadAttention: embed_dim {} is no multiple of num_heads {}", embed_dim, num_heads);
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    fail("MultiheadAttention: dropout {} is outside of [0, 1]", options.dropout);
  }
  if (options.kdim == 0 || options.kdim < -1 || options.vdim == 0 || options.vdim < -1) {
    fail("MultiheadAttention: kdim {} and vdim {} must be at least 1, or -1 for embed_dim", options.kdim,
         options.vdim);
  }
  return embed_dim;
}

// As numbers that are added to the scores.
Tensor as_addend(std::string_view what, const Tensor& mask, DType dtype) {
  if (mask.dtype() == DType::boolean) {
    return Tensor::zeros(mask.shape(), dtype).masked_fill(mask, -std::numeric_limits<double>::infinity());
  }
  if (mask.dtype() != dtype) {
    fail("MultiheadAttention: {} must be bool or {}, got {}", what, name_of(dtype), name_of(mask.dtype()));
  }
  return mask;
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(positive(embed_dim, num_heads, options), embed_dim, options.bias),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(options) {
  if (options_.kdim < 0) options_.kdim = embed_dim;
  if (options_.vdim < 0) options_.vdim = embed_dim;
  const auto add = [&](const char* name, Tensor& parameter, std::int64_t rows, std::int64_t columns) {
    parameter = Tensor::empty({rows, columns});
    const double bound = std::sqrt(6.0 / static_cast<double>(rows + columns));
    init::uniform_(parameter, -bound, bound);
    register_parameter(name, parameter);
  };
  if (options_.kdim == embed_dim && options_.vdim == embed_dim) {
    add("in_proj_weight", in_proj_weight, 3 * embed_dim, embed_dim);
  } else {
    add("q_proj_weight", q_proj_weight, embed_dim, embed_dim);
    add("k_proj_weight", k_proj_weight, embed_dim, options_.kdim);
    add("v_proj_weight", v_proj_weight, embed_dim, options_.vdim);
  }
  if (options.bias) {
    in_proj_bias = Tensor::zeros({3 * embed_dim});
    register_parameter("in_proj_bias", in_proj_bias);
    const NoGradGuard no_grad;
    out_proj.bias.fill_(0);
  }
  register_module("out_proj", out_proj);
}

std::string MultiheadAttention::extra_repr() const {
  return fmt::format("{}, num_heads={}{}", embed_dim_, num_heads_,
                     options_.batch_first ? ", batch_first=true" : "");
}

Tensor MultiheadAttention::forward(const Tensor& x) { return forward(x, x, x, {.need_weights = false}).output; }

void MultiheadAttention::check(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const int batch = options_.batch_first ? 0 : 1;
  const auto fits = [&](const Tensor& x, std::int64_t width) {
    return x.defined() && query.defined() && x.dims() == query.dims() && (x.dims() == 2 || x.dims() == 3) &&
           x.shape()[x.dims() - 1] == width && (x.dims() == 2 || x.shape()[batch] == query.shape()[batch]);
  };
  if (fits(query, embed_dim_) && fits(key, options_.kdim) && fits(value, options_.vdim) &&
      key.shape()[key.dims() == 2 ? 0 : 1 - batch] == value.shape()[key.dims() == 2 ? 0 : 1 - batch]) {
    return;
  }
  const auto shape = [](const Tensor& x) { return x.defined() ? x.shape().to_string() : std::string("undefined"); };
  fail("MultiheadAttention: query {}, key {} and value {} do not fit: expected {}, with {}, {} and {} features",
       shape(query), shape(key), shape(value), options_.batch_first ? "[n, l, …]" : "[l, n, …]", embed_dim_,
       options_.kdim, options_.vdim);
}

Tensor MultiheadAttention::project(const Tensor& x, std::int64_t part) const {
  const Tensor bias = in_proj_bias.defined() ? in_proj_bias.narrow(0, part * embed_dim_, embed_dim_) : Tensor();
  if (!in_proj_weight.defined()) {
    return linear(x, part == 0 ? q_proj_weight : part == 1 ? k_proj_weight : v_proj_weight, bias);
  }
  return linear(x, in_proj_weight.narrow(0, part * embed_dim_, embed_dim_), bias);
}

Tensor MultiheadAttention::merged_mask(const AttentionCall& call, const Tensor& query, std::int64_t n,
                                       std::int64_t rows, std::int64_t columns) const {
  Tensor result;
  if (call.attn_mask.defined()) {
    const Shape& shape = call.attn_mask.shape();
    if (!(shape == Shape{rows, columns}) && !(shape == Shape{n * num_heads_, rows, columns})) {
      fail("MultiheadAttention: an attn_mask of shape {} does not fit, expected [{}, {}] or [{}, {}, {}]",
           shape.to_string(), rows, columns, n * num_heads_, rows, columns);
    }
    if (call.is_causal) fail("MultiheadAttention: is_causal and attn_mask exclude each other");
    result = as_addend("attn_mask", call.attn_mask, query.dtype());
    result = result.reshape({shape.dims() == 2 ? 1 : n, shape.dims() == 2 ? 1 : num_heads_, rows, columns});
  }
  if (call.key_padding_mask.defined()) {
    const Shape& shape = call.key_padding_mask.shape();
    if (!(shape == Shape{n, columns}) && !(query.dims() == 2 && shape == Shape{columns})) {
      fail("MultiheadAttention: a key_padding_mask of shape {} does not fit, expected [{}, {}]", shape.to_string(),
           n, columns);
    }
    const Tensor padding =
        as_addend("key_padding_mask", call.key_padding_mask, query.dtype()).reshape({n, 1, 1, columns});
    result = result.defined() ? result + padding : padding;
  }
  return result;
}

AttentionOutput MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                            const AttentionCall& call) {
  check(query, key, value);
  const bool batched = query.dims() == 3;
  if (!batched) {
    const std::int64_t at = options_.batch_first ? 0 : 1;
    const Tensor rows = query.unsqueeze(at);
    const bool self = query.impl() == key.impl() && query.impl() == value.impl();
    AttentionCall one = call;
    if (call.key_padding_mask.defined()) one.key_padding_mask = call.key_padding_mask.reshape({1, -1});
    AttentionOutput result =
        self ? forward(rows, rows, rows, one) : forward(rows, key.unsqueeze(at), value.unsqueeze(at), one);
    result.output = result.output.squeeze(at);
    if (result.weights.defined()) result.weights = result.weights.squeeze(0);
    return result;
  }
  const bool turned = !options_.batch_first;
  const std::int64_t n = query.shape()[turned ? 1 : 0];
  const std::int64_t rows = query.shape()[turned ? 0 : 1];
  const std::int64_t columns = key.shape()[turned ? 0 : 1];
  const std::int64_t width = embed_dim_ / num_heads_;
  const Tensor mask = merged_mask(call, query, n, rows, columns);
  ops::Attention::Attributes attributes{
      .scale = 1 / std::sqrt(static_cast<double>(width)), .causal = call.is_causal, .sequence_first = turned};
  attributes.drops = is_training() && options_.dropout > 0;
  if (attributes.drops) attributes.draw = ops::next_draw(options_.dropout, default_generator());
  // [l, n, heads, width] or [n, l, heads, width]
  const auto heads = [&](const Tensor& x) { return x.reshape({x.shape()[0], x.shape()[1], num_heads_, width}); };
  AttentionOutput result;
  if (call.need_weights) {
    const auto by_head = [&](const Tensor& x) {
      return turned ? heads(x).permute({1, 2, 0, 3}) : heads(x).transpose(1, 2);
    };
    const ops::ComposedAttention composed = ops::composed_attention(
        attributes, by_head(project(query, 0)), by_head(project(key, 1)), by_head(project(value, 2)), mask);
    result.output = turned ? composed.output.permute({2, 0, 1, 3}) : composed.output.transpose(1, 2);
    result.weights = call.average_attn_weights ? composed.dropped.mean({1}) : composed.dropped;
  } else if (in_proj_weight.defined() && query.impl() == key.impl() && query.impl() == value.impl()) {
    attributes.packed = true;
    const Tensor all = linear(query, in_proj_weight, in_proj_bias)
                           .reshape({query.shape()[0], query.shape()[1], 3, num_heads_, width});
    result.output = feral::apply<ops::Attention>(attributes, all, Tensor(), Tensor(), mask);
  } else {
    result.output = feral::apply<ops::Attention>(attributes, heads(project(query, 0)), heads(project(key, 1)),
                                                 heads(project(value, 2)), mask);
  }
  if (attributes.drops) {
    default_generator().reserve(static_cast<std::uint64_t>(n * num_heads_ * rows * columns));
  }
  result.output = out_proj(result.output.reshape({query.shape()[0], query.shape()[1], embed_dim_}));
  return result;
}

}  // namespace feral::nn
