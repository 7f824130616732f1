#include "nn/transformer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::nn {
namespace {

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& options) {
  return {.dropout = options.dropout, .bias = options.bias, .batch_first = options.batch_first};
}

LayerNormOptions norm_options(const TransformerLayerOptions& options) {
  return {.eps = options.layer_norm_eps, .bias = options.bias};
}

Tensor activated(const Tensor& x, TransformerActivation activation) {
  return activation == TransformerActivation::relu ? x.relu() : x.gelu();
}

std::int64_t at_least_one(std::string_view module, std::int64_t num_layers) {
  if (num_layers < 1) fail("{}: {} layers; at least 1 is needed", module, num_layers);
  return num_layers;
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& options)
    : self_attn(d_model, nhead, attention_options(options)),
      linear1(d_model, options.dim_feedforward, options.bias),
      linear2(options.dim_feedforward, d_model, options.bias),
      norm1(d_model, norm_options(options)),
      norm2(d_model, norm_options(options)),
      dropout_(options.dropout),
      dropout1_(options.dropout),
      dropout2_(options.dropout),
      options_(options) {
  register_module("self_attn", self_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout_);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("dropout1", dropout1_);
  register_module("dropout2", dropout2_);
}

Tensor TransformerEncoderLayer::attend(const Tensor& x, const EncoderMasks& masks) {
  return dropout1_(self_attn
                       .forward(x, x, x,
                                {.key_padding_mask = masks.key_padding_mask,
                                 .attn_mask = masks.mask,
                                 .need_weights = false,
                                 .is_causal = masks.is_causal})
                       .output);
}

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) {
  return dropout2_(linear2(dropout_(activated(linear1(x), options_.activation))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const EncoderMasks& masks) {
  if (options_.norm_first) {
    const Tensor x = src + attend(norm1(src), masks);
    return x + feed_forward(norm2(x));
  }
  const Tensor x = norm1(src + attend(src, masks));
  return norm2(x + feed_forward(x));
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& options)
    : self_attn(d_model, nhead, attention_options(options)),
      multihead_attn(d_model, nhead, attention_options(options)),
      linear1(d_model, options.dim_feedforward, options.bias),
      linear2(options.dim_feedforward, d_model, options.bias),
      norm1(d_model, norm_options(options)),
      norm2(d_model, norm_options(options)),
      norm3(d_model, norm_options(options)),
      dropout_(options.dropout),
      dropout1_(options.dropout),
      dropout2_(options.dropout),
      dropout3_(options.dropout),
      options_(options) {
  register_module("self_attn", self_attn);
  register_module("multihead_attn", multihead_attn);
  register_module("linear1", linear1);
  register_module("dropout", dropout_);
  register_module("linear2", linear2);
  register_module("norm1", norm1);
  register_module("norm2", norm2);
  register_module("norm3", norm3);
  register_module("dropout1", dropout1_);
  register_module("dropout2", dropout2_);
  register_module("dropout3", dropout3_);
}

Tensor TransformerDecoderLayer::attend(const Tensor& x, const DecoderMasks& masks) {
  return dropout1_(self_attn
                       .forward(x, x, x,
                                {.key_padding_mask = masks.tgt_key_padding_mask,
                                 .attn_mask = masks.tgt_mask,
                                 .need_weights = false,
                                 .is_causal = masks.tgt_is_causal})
                       .output);
}

Tensor TransformerDecoderLayer::look_up(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) {
  return dropout2_(multihead_attn
                       .forward(x, memory, memory,
                                {.key_padding_mask = masks.memory_key_padding_mask,
                                 .attn_mask = masks.memory_mask,
                                 .need_weights = false})
                       .output);
}

Tensor TransformerDecoderLayer::feed_forward(const Tensor& x) {
  return dropout3_(linear2(dropout_(activated(linear1(x), options_.activation))));
}

Tensor TransformerDecoderLayer::forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks) {
  if (options_.norm_first) {
    Tensor x = tgt + attend(norm1(tgt), masks);
    x = x + look_up(norm2(x), memory, masks);
    return x + feed_forward(norm3(x));
  }
  Tensor x = norm1(tgt + attend(tgt, masks));
  x = norm2(x + look_up(x, memory, masks));
  return norm3(x + feed_forward(x));
}

TransformerEncoder::TransformerEncoder(std::int64_t d_model, std::int64_t nhead, std::int64_t num_layers,
                                       const TransformerLayerOptions& options, bool with_norm) {
  for (std::int64_t i = 0; i < at_least_one("TransformerEncoder", num_layers); ++i) {
    list_.push_back(&layers.emplace<TransformerEncoderLayer>(d_model, nhead, options));
  }
  register_module("layers", layers);
  if (!with_norm) return;
  norm = std::make_shared<LayerNorm>(d_model, norm_options(options));
  register_module("norm", norm);
}

Tensor TransformerEncoder::forward(const Tensor& src, const EncoderMasks& masks) {
  Tensor x = src;
  for (TransformerEncoderLayer* layer : list_) x = layer->forward(x, masks);
  return norm == nullptr ? x : (*norm)(x);
}

TransformerDecoder::TransformerDecoder(std::int64_t d_model, std::int64_t nhead, std::int64_t num_layers,
                                       const TransformerLayerOptions& options, bool with_norm) {
  for (std::int64_t i = 0; i < at_least_one("TransformerDecoder", num_layers); ++i) {
    list_.push_back(&layers.emplace<TransformerDecoderLayer>(d_model, nhead, options));
  }
  register_module("layers", layers);
  if (!with_norm) return;
  norm = std::make_shared<LayerNorm>(d_model, norm_options(options));
  register_module("norm", norm);
}

Tensor TransformerDecoder::forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks) {
  Tensor x = tgt;
  for (TransformerDecoderLayer* layer : list_) x = layer->forward(x, memory, masks);
  return norm == nullptr ? x : (*norm)(x);
}

Transformer::Transformer(const TransformerOptions& options)
    : encoder(options.d_model, options.nhead, options.num_encoder_layers, options.layer, true),
      decoder(options.d_model, options.nhead, options.num_decoder_layers, options.layer, true) {
  register_module("encoder", encoder);
  register_module("decoder", decoder);
  for (const Tensor& parameter : parameters()) {
    if (parameter.dims() > 1) init::xavier_uniform_(parameter);
  }
}

Tensor Transformer::forward(const Tensor& src, const Tensor& tgt, const TransformerMasks& masks) {
  return decoder.forward(tgt, encoder.forward(src, masks.src), masks.tgt);
}

Tensor Transformer::generate_square_subsequent_mask(std::int64_t size) {
  return Tensor::full({size, size}, -std::numeric_limits<double>::infinity()).triu(1);
}

PositionalEncoding::PositionalEncoding(std::int64_t d_model, const PositionalEncodingOptions& options)
    : dropout_(options.dropout), options_(options) {
  if (d_model < 1 || options.max_len < 1) {
    fail("PositionalEncoding: {} positions of {} features; each must be at least 1", options.max_len, d_model);
  }
  pe = Tensor::empty({options.max_len, d_model});
  for (std::int64_t p = 0; p < options.max_len; ++p) {
    for (std::int64_t c = 0; c < d_model; ++c) {
      const double wave = std::pow(10'000.0, -static_cast<double>(c / 2 * 2) / static_cast<double>(d_model));
      const double angle = static_cast<double>(p) * wave;
      pe.data<float>()[p * d_model + c] = static_cast<float>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  register_buffer("pe", pe, false);
  register_module("dropout", dropout_);
}

Tensor PositionalEncoding::forward(const Tensor& x) {
  const int row = options_.batch_first && x.defined() && x.dims() == 3 ? 1 : 0;
  if (!x.defined() || x.dims() < 2 || x.dims() > 3 || x.shape()[x.dims() - 1] != pe.shape()[1] ||
      x.shape()[row] > pe.shape()[0]) {
    fail("PositionalEncoding: an input of shape {} does not fit, expected up to {} positions of {} features",
         x.defined() ? x.shape().to_string() : "undefined", pe.shape()[0], pe.shape()[1]);
  }
  const Tensor rows = pe.narrow(0, 0, x.shape()[row]);
  return dropout_(x + (row == 0 && x.dims() == 3 ? rows.unsqueeze(1) : rows));
}

}  // namespace feral::nn
