// Transformer layers and stacks of them; Vaswani et al., "Attention is all you need", 2017.
//
// Inputs are [l, n, d_model], [n, l, d_model] when batch_first, [l, d_model] without a batch. Parameters have
// PyTorch's names. Layers of a stack are drawn one by one, where PyTorch starts all of them from copies of one.
#pragma once

#include <cstdint>
#include <memory>

#include "nn/attention.hpp"
#include "nn/container.hpp"
#include "nn/dropout.hpp"
#include "nn/layer_norm.hpp"
#include "nn/linear.hpp"

namespace feral::nn {

enum class TransformerActivation : std::uint8_t { relu, gelu };

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;  // normalize what goes into each block, not the sum behind it
  bool bias = true;
};

// As MultiheadAttention takes them (nn/attention.hpp).
struct EncoderMasks {
  Tensor mask = {};  // [l, l]
  Tensor key_padding_mask = {};
  bool is_causal = false;
};
struct DecoderMasks {
  Tensor tgt_mask = {};     // [l, l]
  Tensor memory_mask = {};  // [l, s]
  Tensor tgt_key_padding_mask = {};
  Tensor memory_key_padding_mask = {};
  bool tgt_is_causal = false;
};

// x + attention(x), then x + linear2(activation(linear1(x))), each normalized.
class TransformerEncoderLayer : public Module {
 public:
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});
  Tensor forward(const Tensor& src) override { return forward(src, EncoderMasks()); }
  Tensor forward(const Tensor& src, const EncoderMasks& masks);

  MultiheadAttention self_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2;

 private:
  Tensor attend(const Tensor& x, const EncoderMasks& masks);
  Tensor feed_forward(const Tensor& x);

  Dropout dropout_, dropout1_, dropout2_;
  TransformerLayerOptions options_;
};

// The same with attention to `memory` between the two.
class TransformerDecoderLayer : public Module {
 public:
  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});
  using Module::forward;
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks = {});

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;

 private:
  Tensor attend(const Tensor& x, const DecoderMasks& masks);
  Tensor look_up(const Tensor& x, const Tensor& memory, const DecoderMasks& masks);
  Tensor feed_forward(const Tensor& x);

  Dropout dropout_, dropout1_, dropout2_, dropout3_;
  TransformerLayerOptions options_;
};

// num_layers encoder layers, and a LayerNorm behind them when `norm`.
class TransformerEncoder : public Module {
 public:
  TransformerEncoder(std::int64_t d_model, std::int64_t nhead, std::int64_t num_layers,
                     const TransformerLayerOptions& options = {}, bool norm = false);
  Tensor forward(const Tensor& src) override { return forward(src, EncoderMasks()); }
  Tensor forward(const Tensor& src, const EncoderMasks& masks);

  ModuleList layers;
  std::shared_ptr<LayerNorm> norm;  // none unless asked for

 private:
  std::vector<TransformerEncoderLayer*> list_;
};

class TransformerDecoder : public Module {
 public:
  TransformerDecoder(std::int64_t d_model, std::int64_t nhead, std::int64_t num_layers,
                     const TransformerLayerOptions& options = {}, bool norm = false);
  using Module::forward;
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks = {});

  ModuleList layers;
  std::shared_ptr<LayerNorm> norm;

 private:
  std::vector<TransformerDecoderLayer*> list_;
};

struct TransformerOptions {
  std::int64_t d_model = 512;
  std::int64_t nhead = 8;
  std::int64_t num_encoder_layers = 6;
  std::int64_t num_decoder_layers = 6;
  TransformerLayerOptions layer = {};
};

struct TransformerMasks {
  EncoderMasks src = {};
  DecoderMasks tgt = {};
};

// An encoder and a decoder, both with a norm at their end. All matrices start within Glorot's bounds.
class Transformer : public Module {
 public:
  explicit Transformer(const TransformerOptions& options = {});
  using Module::forward;
  Tensor forward(const Tensor& src, const Tensor& tgt, const TransformerMasks& masks = {});
  // float32 [size, size]: 0 where a step may look, -inf at later ones.
  static Tensor generate_square_subsequent_mask(std::int64_t size);

  TransformerEncoder encoder;
  TransformerDecoder decoder;
};

struct PositionalEncodingOptions {
  double dropout = 0.1;
  std::int64_t max_len = 5000;
  bool batch_first = false;
};

// x + sin and cos of the position, at wavelengths from 2π to 10000 × 2π, then dropout: channel 2i of position p is
// sin(p / 10000^(2i / d_model)), channel 2i + 1 its cosine. Its table `pe` [max_len, d_model] is a buffer that is
// not saved.
class PositionalEncoding : public Module {
 public:
  explicit PositionalEncoding(std::int64_t d_model, const PositionalEncodingOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor pe;

 private:
  Dropout dropout_;
  PositionalEncodingOptions options_;
};

}  // namespace feral::nn
