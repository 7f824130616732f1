// What modules say when they are made or called wrongly: one line with the module's name and both values.
#include <gtest/gtest.h>

#include "nn/bilinear.hpp"
#include "nn/conv.hpp"
#include "nn/embedding.hpp"
#include "nn/layer_norm.hpp"
#include "nn/pooling.hpp"
#include "nn/reshaping.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

Tensor ones(const Shape& shape) { return Tensor::ones(shape); }

struct Wrong {
  std::function<void()> call;
  std::vector<std::string> parts;
};

void expect_refused(const std::vector<Wrong>& calls) {
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string message = error_of(calls[i].call);
    for (const std::string& part : calls[i].parts) {
      EXPECT_TRUE(contains(message, part)) << "call " << i << ": no '" << part << "' in: " << message;
    }
    EXPECT_FALSE(contains(message, "\n")) << message;
  }
}

TEST(ModuleErrors, OfConvolutions) {
  expect_refused({
      {[] { Conv1d(1, 1, 3, {.dilation = 0}); }, {"Conv1d", "dilation 0"}},
      {[] { Conv2d(4, 6, 3, {.groups = 4}); }, {"Conv2d", "4 in and 6 out", "4 groups"}},
      {[] {
         Conv2d(4, 6, {3, 0});
       },
       {"Conv2d", "kernel (3, 0)"}},
      {[] {
         Conv2d(1, 1, 3, {.stride = {1, 2}, .padding = "same"});
       },
       {"Conv2d", "'same'", "stride (1, 2)"}},
      {[] { Conv2d(1, 1, 3, {.padding = "full"}); }, {"'full'", "'same', 'valid'"}},
      {[] {
         Conv3d(2, 1, 1)(ones({1, 2, 3, 3}));
       },
       {"Conv3d", "[n, 2]", "[1, 1, 2, 3, 3]"}},
      {[] {
         Conv3d(2, 1, 1)(ones({2, 3, 3, 3, 3}));
       },
       {"Conv3d", "[n, 2]", "[2, 3, 3, 3, 3]"}},
      {[] {
         Conv2d(2, 1, 3)(ones({2, 2, 4}));
       },
       {"conv2d"}},
      {[] { Conv2d(2, 1, 3)(ones({7})); }, {"Conv2d", "2 spatial dimensions", "[7]"}},
      {[] { Conv2d(2, 1, 3)(Tensor()); }, {"Conv2d", "undefined"}},
      {[] {
         Conv1d(2, 1, 3, {.padding = 3, .padding_mode = PaddingMode::reflect})(ones({1, 2, 3}));
       },
       {"pad", "3"}},
      {[] { ConvTranspose1d(2, 3, 2, {.groups = 2}); }, {"ConvTranspose1d", "3 out", "2 groups"}},
      {[] { ConvTranspose2d(2, 3, 2, {.output_padding = -1}); }, {"ConvTranspose2d", "output_padding -1"}},
      {[] {
         ConvTranspose2d(2, 3, 2)(ones({1, 3, 4, 4}));
       },
       {"ConvTranspose2d", "[n, 2]", "[1, 3, 4, 4]"}},
      {[] {
         ConvTranspose2d(2, 3, 2, {.stride = 2}).forward(ones({1, 2, 4, 4}), {9, 10});
       },
       {"ConvTranspose2d", "output size of 10", "8 to 9"}},
  });
}

TEST(ModuleErrors, OfPooling) {
  expect_refused({
      {[] { MaxPool1d(0); }, {"MaxPool1d", "kernel 0"}},
      {[] { MaxPool2d(2, {.padding = 2}); }, {"MaxPool2d", "padding 2", "half"}},
      {[] { AvgPool2d(2, {.stride = 0}); }, {"AvgPool2d", "stride 0"}},
      {[] {
         AvgPool3d(2)(ones({2, 2, 3}));
       },
       {"AvgPool3d", "3 spatial", "[2, 2, 3]"}},
      {[] { MaxPool2d(2)(ones({5})); }, {"MaxPool2d", "2 spatial", "[5]"}},
      {[] {
         MaxPool2d(4)(ones({1, 1, 3, 3}));
       },
       {"max_pool2d", "kernel 4", "[1, 1, 3, 3]"}},
      {[] {
         AdaptiveAvgPool2d({-2, 1});
       },
       {"AdaptiveAvgPool2d", "-2"}},
      {[] { AdaptiveMaxPool1d(2)(ones({2})); }, {"AdaptiveMaxPool1d", "[2]"}},
  });
}

TEST(ModuleErrors, OfNorms) {
  expect_refused({
      {[] { LayerNorm(0); }, {"LayerNorm", "[0]"}},
      {[] { LayerNorm(4, {.eps = -1}); }, {"LayerNorm", "eps -1"}},
      {[] {
         LayerNorm({2, 4})(ones({3, 4}));
       },
       {"LayerNorm", "[2, 4]", "[3, 4]"}},
      {[] { RMSNorm(Dims{}); }, {"RMSNorm", "[]"}},
      {[] { RMSNorm(3)(ones({4})); }, {"RMSNorm", "[3]", "[4]"}},
      {[] { GroupNorm(3, 4); }, {"GroupNorm", "4 channels", "3 groups"}},
      {[] {
         GroupNorm(2, 4)(ones({1, 6}));
       },
       {"GroupNorm", "[n, 4, ...]", "[1, 6]"}},
  });
}

TEST(ModuleErrors, OfReshaping) {
  expect_refused({
      {[] {
         Flatten(3)(ones({2, 3}));
       },
       {"flatten", "3"}},
      {[] {
         Unflatten(1, {-1, -1});
       },
       {"Unflatten", "[-1, -1]"}},
      {[] {
         Unflatten(1, {2, 2})(ones({1, 6}));
       },
       {"unflatten", "6"}},
      {[] { Upsample({}); }, {"Upsample", "neither"}},
      {[] { Upsample({.size = {4}, .scale = 2}); }, {"Upsample", "both", "[4]"}},
      {[] { Upsample({.scale = 2, .align_corners = true}); }, {"Upsample", "align_corners"}},
      {[] {
         Upsample({.scale = 2})(ones({2, 2}));
       },
       {"Upsample", "[2, 2]"}},
      {[] { PixelShuffle(0); }, {"PixelShuffle", "factor of 0"}},
      {[] {
         PixelShuffle(2)(ones({1, 6, 2, 2}));
       },
       {"PixelShuffle", "c × 4", "[1, 6, 2, 2]"}},
      {[] {
         PixelUnshuffle(2)(ones({1, 3, 2}));
       },
       {"PixelUnshuffle", "× 2", "[1, 3, 2]"}},
      {[] { Bilinear(2, 0, 1); }, {"Bilinear", "0 in"}},
      {[] {
         Bilinear(2, 3, 1).forward(ones({4, 2}), ones({5, 3}));
       },
       {"Bilinear", "[4, 2]", "[5, 3]"}},
  });
}

TEST(ModuleErrors, OfEmbeddings) {
  const Tensor indices = Tensor::from_vector<std::int64_t>({1, 5}, {2});
  expect_refused({
      {[] { Embedding(0, 3); }, {"Embedding", "0 embeddings"}},
      {[] { Embedding(4, 3, {.padding_idx = 4}); }, {"Embedding", "padding_idx 4", "4"}},
      {[] { Embedding(4, 3, {.max_norm = 0}); }, {"Embedding", "max_norm 0"}},
      {[] { EmbeddingBag(4, 3, {.norm_type = -1}); }, {"EmbeddingBag", "norm_type -1"}},
      {[] { EmbeddingBag(4, 3, {.mode = Bag::max, .sparse = true}); }, {"EmbeddingBag", "sparse", "max"}},
      {[&] { Embedding(5, 3)(indices); }, {"embedding", "5"}},
      {[&] { Embedding(5, 3, {.max_norm = 1})(indices); }, {"embedding", "5"}},
      {[] { Embedding(5, 3)(ones({2})); }, {"embedding", "float32"}},
      {[] { Embedding::from_pretrained(ones({3})); }, {"Embedding", "[3]"}},
      {[&] { EmbeddingBag(6, 3)(indices); }, {"embedding_bag", "two dimensions", "[2]"}},
      {[] { EmbeddingBag::from_pretrained(Tensor()); }, {"EmbeddingBag", "undefined"}},
  });
}

TEST(Embedding, FromPretrainedSharesTheTable) {
  const Tensor table = Tensor::from_vector<float>({1, 2, 3, 4}, {2, 2});
  const auto frozen = Embedding::from_pretrained(table);
  EXPECT_EQ(frozen->weight.raw_data(), table.raw_data());
  EXPECT_FALSE(frozen->weight.requires_grad());
  EXPECT_FALSE(table.requires_grad());
  EXPECT_EQ((*frozen)(Tensor::from_vector<std::int64_t>({1}, {1})).to_vector<float>(), (std::vector<float>{3, 4}));
  const auto bag = EmbeddingBag::from_pretrained(table, false, {.mode = Bag::sum});
  EXPECT_TRUE(bag->weight.requires_grad());
  EXPECT_EQ(bag->forward(Tensor::from_vector<std::int64_t>({1, 0}, {1, 2})).to_vector<float>(),
            (std::vector<float>{4, 6}));
}

TEST(Embedding, StartsWithNormalNumbersAndAPaddingOfZeros) {
  const Embedding module(2000, 50, {.padding_idx = -2000});
  const auto first = module.weight.select(0, 0).to_vector<float>();
  EXPECT_EQ(first, std::vector<float>(50, 0));
  const Tensor rest = module.weight.detach().narrow(0, 1, 1999);
  EXPECT_NEAR(rest.mean().item(), 0, 0.02);
  EXPECT_NEAR(rest.std().item(), 1, 0.02);
}

}  // namespace
}  // namespace feral::nn
