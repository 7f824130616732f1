#include "nn/attention.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/ops/attention.hpp"
#include "tensor/generator.hpp"
#include "tests/nn/parity.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

Tensors tensors_of(const AttentionOutput& output) { return {output.output, output.weights}; }

void expect_self(const std::string& name, MultiheadAttention&& module, const AttentionCall& call) {
  expect_parity("attention", "MultiheadAttention/" + name, module, [&](const Tensors& x) {
    AttentionCall masked = call;
    if (x.size() == 3) masked.key_padding_mask = x[1];
    if (x.size() > 1) masked.attn_mask = x.back();
    return tensors_of(module.forward(x[0], x[0], x[0], masked));
  });
}

TEST(AttentionParity, Self) {
  expect_self("self", MultiheadAttention(6, 2), {.need_weights = false});
  expect_self("self_weights", MultiheadAttention(6, 2), {});
  expect_self("self_masks", MultiheadAttention(6, 3, {.batch_first = true}), {.need_weights = false});
  expect_self("added_mask", MultiheadAttention(6, 2), {.need_weights = false});
  expect_self("masks_and_weights_of_heads", MultiheadAttention(6, 2), {.average_attn_weights = false});
  expect_self("unbatched", MultiheadAttention(6, 2), {.need_weights = false});
}

TEST(AttentionParity, Cross) {
  MultiheadAttention plain(6, 2, {.bias = false, .kdim = 5, .vdim = 4});
  expect_parity("attention", "MultiheadAttention/other_sizes", plain, [&](const Tensors& x) {
    return tensors_of(plain.forward(x[0], x[1], x[2], {.need_weights = false}));
  });
  MultiheadAttention weights(6, 2, {.kdim = 5, .vdim = 4});
  expect_parity("attention", "MultiheadAttention/other_sizes_weights", weights,
                [&](const Tensors& x) { return tensors_of(weights.forward(x[0], x[1], x[2])); });
}

TEST(AttentionParity, Function) {
  const auto expect = [](const std::string& name, const AttentionOptions& options) {
    expect_parity("attention", "scaled_dot_product_attention/" + name, [&](const Tensors& x) {
      return Tensors{scaled_dot_product_attention(x[0], x[1], x[2], x.size() > 3 ? x[3] : Tensor(), options)};
    });
  };
  expect("plain", {});
  expect("mask", {.scale = 0.7});
  expect("causal", {.is_causal = true});
}

// The op beside the composition, where PyTorch gives no fixture: the same numbers are dropped.
TEST(Attention, DropsWeightsAsTheCompositionDoes) {
  Numbers numbers(3);
  MultiheadAttention module(8, 2, {.dropout = 0.4, .batch_first = true});
  const Tensor x = numbers.tensor<float>({2, 5, 8}).set_requires_grad(true);
  const auto run = [&](bool need_weights) {
    manual_seed(5);
    x.set_grad({});
    const Tensor y = module.forward(x, x, x, {.need_weights = need_weights}).output;
    y.square().sum().backward();
    return std::make_pair(y, x.grad());
  };
  const auto [fused, fused_gradient] = run(false);
  const auto [composed, composed_gradient] = run(true);
  EXPECT_TRUE(fused.allclose(composed, 1e-5, 1e-5));
  EXPECT_TRUE(fused_gradient.allclose(composed_gradient, 1e-4, 1e-4));
  const Tensor later = module(x);
  EXPECT_FALSE(later.allclose(composed));
  module.eval();
  EXPECT_TRUE(module(x).equal(module(x)));
}

TEST(Attention, CausalIsTheMaskAboveTheDiagonal) {
  Numbers numbers(4);
  MultiheadAttention module(6, 3);
  const Tensor x = numbers.tensor<float>({5, 2, 6});
  const Tensor later = Tensor::ones({5, 5}, DType::uint8).triu(1).gt(0);
  for (const bool weights : {false, true}) {
    const Tensor causal = module.forward(x, x, x, {.need_weights = weights, .is_causal = true}).output;
    const Tensor masked = module.forward(x, x, x, {.attn_mask = later, .need_weights = weights}).output;
    EXPECT_TRUE(causal.allclose(masked, 1e-5, 1e-6));
  }
}

TEST(Attention, WhoMayLookAtNothingGetsZero) {
  Numbers numbers(5);
  const Tensor q = numbers.tensor<float>({2, 3}).set_requires_grad(true);
  const Tensor mask = Tensor::from_vector<float>({0, 0, 1, 0, 0, 0}, {2, 3}).gt(0);
  const Tensor k = numbers.tensor<float>({3, 3});
  const Tensor out = scaled_dot_product_attention(q, k, k, mask);
  EXPECT_TRUE(out.select(0, 0).allclose(k.select(0, 2)));
  EXPECT_EQ(out.select(0, 1).to_vector<float>(), std::vector<float>(3, 0));
  out.sum().backward();
  EXPECT_EQ(q.grad().select(0, 1).to_vector<float>(), std::vector<float>(3, 0));
}

TEST(Attention, StartsAsPyTorchs) {
  manual_seed(6);
  const MultiheadAttention module(16, 4);
  std::vector<std::string> names;
  for (const NamedTensor& parameter : module.named_parameters()) names.push_back(parameter.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"}));
  double largest = 0;
  for (const double value : module.in_proj_weight.to_vector<double>()) largest = std::max(largest, std::abs(value));
  EXPECT_LE(largest, std::sqrt(6.0 / 64));
  EXPECT_GT(largest, 0.95 * std::sqrt(6.0 / 64));
  EXPECT_EQ(module.out_proj.bias.to_vector<float>(), std::vector<float>(16, 0));
}

TEST(Attention, WrongArgumentsNameTheModule) {
  EXPECT_TRUE(contains(error_of([] { MultiheadAttention(8, 3); }), "embed_dim 8 is no multiple of num_heads 3"));
  EXPECT_TRUE(contains(error_of([] { MultiheadAttention(8, 2, {.dropout = -1}); }), "dropout -1"));
  EXPECT_TRUE(contains(error_of([] { MultiheadAttention(8, 2, {.kdim = 0}); }), "kdim 0"));
  MultiheadAttention module(8, 2);
  const auto call = [&](const Tensor& q, const Tensor& k, const AttentionCall& options = {}) {
    return error_of([&] { module.forward(q, k, k, options); });
  };
  const Tensor x = Tensor::zeros({5, 2, 8});
  EXPECT_TRUE(contains(call(Tensor::zeros({5, 2, 7}), x), "query [5, 2, 7]"));
  EXPECT_TRUE(contains(call(x, Tensor::zeros({5, 3, 8})), "key [5, 3, 8]"));
  EXPECT_TRUE(contains(call(x, Tensor()), "undefined"));
  EXPECT_TRUE(
      contains(call(x, x, {.key_padding_mask = Tensor::zeros({2, 4})}), "key_padding_mask of shape [2, 4]"));
  EXPECT_TRUE(contains(call(x, x, {.attn_mask = Tensor::zeros({5, 4})}), "attn_mask of shape [5, 4]"));
  EXPECT_TRUE(contains(call(x, x, {.attn_mask = Tensor::zeros({5, 5}, DType::int64)}), "bool or float32"));
  EXPECT_TRUE(contains(call(x, x, {.attn_mask = Tensor::zeros({5, 5}), .is_causal = true}), "exclude each other"));
}

}  // namespace
}  // namespace feral::nn
