#include <gtest/gtest.h>

#include "nn/embedding.hpp"
#include "tests/nn/parity_suite.hpp"

namespace feral::nn {
namespace {

Tensors bags(Module& module, const Tensors& x) {
  return {dynamic_cast<EmbeddingBag&>(module).forward(x[0], x[1], x.size() > 2 ? x[2] : Tensor())};
}

TEST(EmbeddingParity, EqualsPyTorch) {
  expect_family(
      "embedding",
      {{"Embedding/plain", make<Embedding>(5, 3)},
       {"Embedding/padding", make<Embedding>(5, 3, EmbeddingOptions{.padding_idx = -1})},
       {"Embedding/max_norm", make<Embedding>(5, 3, EmbeddingOptions{.max_norm = 1.0})},
       {"Embedding/max_norm_1",
        make<Embedding>(5, 2, EmbeddingOptions{.padding_idx = 1, .max_norm = 0.5, .norm_type = 1})},
       {"Embedding/sparse", make<Embedding>(5, 2, EmbeddingOptions{.sparse = true})},
       {"EmbeddingBag/sum", make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.mode = Bag::sum}), bags},
       {"EmbeddingBag/mean", make<EmbeddingBag>(5, 3), bags},
       {"EmbeddingBag/max", make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.mode = Bag::max}), bags},
       {"EmbeddingBag/sparse", make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.sparse = true}), bags},
       {"EmbeddingBag/rows", make<EmbeddingBag>(5, 2)},
       {"EmbeddingBag/last_offset",
        make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.mode = Bag::sum, .include_last_offset = true}), bags},
       {"EmbeddingBag/padding", make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.max_norm = 1.5, .padding_idx = 4}),
        bags},
       {"EmbeddingBag/weighted", make<EmbeddingBag>(5, 3, EmbeddingBagOptions{.mode = Bag::sum}), bags}});
}

}  // namespace
}  // namespace feral::nn
