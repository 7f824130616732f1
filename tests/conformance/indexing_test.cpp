// Reading by index: against PyTorch.
#include <gtest/gtest.h>

#include "autograd/ops/embedding.hpp"
#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

EmbeddingBagOptions bag_options(const Call& c) {
  const std::string mode = c.text("mode");
  return {.mode = mode == "sum"    ? Bag::sum
                  : mode == "mean" ? Bag::mean
                                   : Bag::max,
          .include_last_offset = c.flag("include_last_offset"),
          .padding_idx = c.integer("padding_idx", -1)};
}

std::vector<Op> reading() {
  return {
      op("gather", all_types, any_layout, [](const Call& c) { return c[0].gather(c.integer("dim"), c[1]); }),
      op("take_along_dim", all_types, {"contiguous", "transposed", "stepped", "broadcast"},
         [](const Call& c) { return c[0].take_along_dim(c[1], c.integer("dim")); }),
      op("index_select", all_types, any_layout,
         [](const Call& c) { return c[0].index_select(c.integer("dim"), c[1]); }),
      binary("take", &Tensor::take),
      binary("masked_select", &Tensor::masked_select),
      op("masked_fill", all_types, any_layout,
         [](const Call& c) { return c[0].masked_fill(c[1], c.scalar("number")); }),
      unary("nonzero", &Tensor::nonzero, all_types, {"nonzero"}),
      op("embedding", all_types, not_0_dim, [](const Call& c) { return embedding(c[0], c[1]); }),
      op("embedding_bag", floats, {"contiguous", "transposed", "stepped", "broadcast"},
         [](const Call& c) { return embedding_bag(c[0], c[1], c[2], bag_options(c), c[3]); }),
  };
}

const FamilyOfOps reading_family("indexing", reading());

TEST(Conformance, Indexing) { check_family("indexing"); }

}  // namespace
}  // namespace feral::conformance
