#include "nn/transformer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/generator.hpp"
#include "tests/nn/parity.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

constexpr TransformerLayerOptions plain = {.dim_feedforward = 6, .dropout = 0};
constexpr TransformerLayerOptions before = {
    .dim_feedforward = 6, .dropout = 0, .activation = TransformerActivation::gelu, .norm_first = true};
constexpr TransformerLayerOptions before_by_batch = {.dim_feedforward = 6,
                                                     .dropout = 0,
                                                     .activation = TransformerActivation::gelu,
                                                     .batch_first = true,
                                                     .norm_first = true};

constexpr TransformerLayerOptions without_bias = {.dim_feedforward = 6, .dropout = 0, .bias = false};

TEST(TransformerParity, EncoderLayers) {
  TransformerEncoderLayer layer(4, 2, plain);
  expect_parity("attention", "TransformerEncoderLayer/plain", layer);
  TransformerEncoderLayer masked(4, 2, before_by_batch);
  expect_parity("attention", "TransformerEncoderLayer/norm_first_gelu_masks", masked, [&](const Tensors& x) {
    return Tensors{masked.forward(x[0], {.mask = x[1], .key_padding_mask = x[2]})};
  });
}

TEST(TransformerParity, DecoderLayers) {
  TransformerDecoderLayer layer(4, 2, plain);
  expect_parity("attention", "TransformerDecoderLayer/plain", layer,
                [&](const Tensors& x) { return Tensors{layer.forward(x[0], x[1])}; });
  TransformerDecoderLayer masked(4, 2, before);
  expect_parity("attention", "TransformerDecoderLayer/norm_first_gelu_masks", masked, [&](const Tensors& x) {
    return Tensors{masked.forward(x[0], x[1], {.tgt_mask = x[2], .memory_key_padding_mask = x[3]})};
  });
}

TEST(TransformerParity, Stacks) {
  TransformerEncoder encoder(4, 2, 2, without_bias);
  expect_parity("attention", "TransformerEncoder/two_layers", encoder);
  TransformerEncoder normed(4, 1, 1, plain, true);
  expect_parity("attention", "TransformerEncoder/norm_and_masks", normed, [&](const Tensors& x) {
    return Tensors{normed.forward(x[0], {.mask = x[1], .key_padding_mask = x[2]})};
  });
  TransformerDecoder decoder(4, 2, 2, without_bias);
  expect_parity("attention", "TransformerDecoder/two_layers", decoder,
                [&](const Tensors& x) { return Tensors{decoder.forward(x[0], x[1])}; });
  TransformerDecoder normed_decoder(4, 1, 1, plain, true);
  expect_parity("attention", "TransformerDecoder/norm_and_mask", normed_decoder,
                [&](const Tensors& x) { return Tensors{normed_decoder.forward(x[0], x[1], {.tgt_mask = x[2]})}; });
}

TEST(TransformerParity, Whole) {
  for (const bool batch_first : {false, true}) {
    TransformerLayerOptions layer = batch_first ? plain : without_bias;
    layer.batch_first = batch_first;
    Transformer transformer(
        {.d_model = 4, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 1, .layer = layer});
    expect_parity(
        "attention", batch_first ? "Transformer/batch_first" : "Transformer/plain", transformer,
        [&](const Tensors& x) { return Tensors{transformer.forward(x[0], x[1], {.tgt = {.tgt_mask = x[2]}})}; });
  }
}

TEST(Transformer, CausalIsTheSubsequentMask) {
  Numbers numbers(8);
  TransformerEncoder encoder(4, 2, 1, plain);
  const Tensor x = numbers.tensor<float>({5, 2, 4});
  const Tensor mask = Transformer::generate_square_subsequent_mask(5);
  EXPECT_EQ(mask.select(0, 3).to_vector<float>(), (std::vector<float>{0, 0, 0, 0, -INFINITY}));
  EXPECT_TRUE(encoder.forward(x, {.mask = mask}).allclose(encoder.forward(x, {.is_causal = true}), 1e-5, 1e-6));
}

TEST(Transformer, DropsWhileTrainingAlone) {
  manual_seed(9);
  Numbers numbers(9);
  TransformerEncoder encoder(4, 2, 1, {.dim_feedforward = 6, .dropout = 0.3});
  const Tensor x = numbers.tensor<float>({5, 2, 4});
  EXPECT_FALSE(encoder(x).equal(encoder(x)));
  encoder.eval();
  EXPECT_TRUE(encoder(x).equal(encoder(x)));
}

TEST(Transformer, LayersOfAStackDiffer) {
  manual_seed(10);
  TransformerEncoder encoder(4, 2, 2, plain);
  const auto parameters = encoder.named_parameters();
  EXPECT_EQ(parameters[0].name, "layers.0.self_attn.in_proj_weight");
  EXPECT_EQ(parameters[12].name, "layers.1.self_attn.in_proj_weight");
  EXPECT_FALSE(parameters[0].tensor.equal(parameters[12].tensor));
}

TEST(PositionalEncoding, AddsSinesAndCosines) {
  PositionalEncoding encoding(4, {.dropout = 0, .max_len = 9});
  const Tensor by_step = encoding(Tensor::zeros({3, 2, 4}));
  for (std::int64_t p = 0; p < 3; ++p) {
    const auto angle = static_cast<double>(p);
    const std::vector<double> want = {std::sin(angle), std::cos(angle), std::sin(angle / 100),
                                      std::cos(angle / 100)};
    const std::vector<double> got = by_step.select(0, p).select(0, 1).to_vector<double>();
    for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(got[c], want[c], 1e-6);
  }
  PositionalEncoding by_batch(4, {.dropout = 0, .batch_first = true});
  EXPECT_TRUE(by_batch(Tensor::zeros({2, 3, 4})).equal(by_step.transpose(0, 1)));
  EXPECT_TRUE(encoding.state_dict().empty());
}

TEST(Transformer, WrongArgumentsNameTheModule) {
  EXPECT_TRUE(contains(error_of([] { TransformerEncoder(4, 2, 0); }), "TransformerEncoder: 0 layers"));
  EXPECT_TRUE(contains(error_of([] { TransformerDecoderLayer(4, 3); }), "embed_dim 4 is no multiple"));
  EXPECT_TRUE(contains(error_of([] { PositionalEncoding(0); }), "PositionalEncoding: 5000 positions of 0"));
  PositionalEncoding encoding(4, {.max_len = 2});
  EXPECT_TRUE(contains(error_of([&] { encoding(Tensor::zeros({3, 1, 4})); }), "[3, 1, 4]"));
  TransformerEncoderLayer layer(4, 2, plain);
  EXPECT_TRUE(contains(error_of([&] { layer(Tensor::zeros({3, 1, 5})); }), "query [3, 1, 5]"));
}

}  // namespace
}  // namespace feral::nn
