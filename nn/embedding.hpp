// Tables of vectors, looked up by index.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "autograd/ops/embedding.hpp"
#include "nn/module.hpp"

namespace feral::nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx =
      {};                               // the row that is 0 at first and gets no gradient; may count from the end
  std::optional<double> max_norm = {};  // rows that are looked up are first scaled down to this norm, in place
  double norm_type = 2;                 // the p of that norm
  bool sparse = false;                  // gradients hold the rows that were looked up alone
};

// indices (int64 or int32, any shape) → [indices..., embedding_dim]. Parameter: weight [num_embeddings,
// embedding_dim], normal numbers at first.
class Embedding : public Module {
 public:
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingOptions& options = {});
  // Over the table `weight`, which it shares; frozen unless told otherwise.
  static std::shared_ptr<Embedding> from_pretrained(const Tensor& weight, bool freeze = true,
                                                    const EmbeddingOptions& options = {});
  Tensor forward(const Tensor& indices) override;
  std::string extra_repr() const override;

  Tensor weight;

 private:
  Embedding(const Tensor& table, const EmbeddingOptions& options);

  EmbeddingOptions options_;
};

struct EmbeddingBagOptions {
  std::optional<double> max_norm = {};
  double norm_type = 2;
  Bag mode = Bag::mean;
  bool sparse = false;
  bool include_last_offset = false;              // the last offset is the end of the last bag
  std::optional<std::int64_t> padding_idx = {};  // indices that take no part; may count from the end
};

// Rows reduced bag by bag: [bags, embedding_dim]; feral::embedding_bag says how bags are given. Parameter as
// Embedding's.
class EmbeddingBag : public Module {
 public:
  EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingBagOptions& options = {});
  static std::shared_ptr<EmbeddingBag> from_pretrained(const Tensor& weight, bool freeze = true,
                                                       const EmbeddingBagOptions& options = {});
  // indices [bags, k]: every row is a bag.
  Tensor forward(const Tensor& indices) override { return forward(indices, Tensor()); }
  // indices [m], offsets [bags]; per_sample_weights like indices, for Bag::sum alone.
  Tensor forward(const Tensor& indices, const Tensor& offsets, const Tensor& per_sample_weights = {});
  std::string extra_repr() const override;

  Tensor weight;

 private:
  EmbeddingBag(const Tensor& table, const EmbeddingBagOptions& options);

  EmbeddingBagOptions options_;
};

}  // namespace feral::nn
