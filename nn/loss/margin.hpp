// Losses with a margin, and what stands beside them.
#pragma once

#include "nn/loss/reduction.hpp"

namespace feral::nn {

struct HingeEmbeddingLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
// input where the target is 1, max(0, margin - input) where it is -1; one shape.
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target,
                            const HingeEmbeddingLossOptions& options = {});

struct MultiMarginLossOptions {
  int p = 1;  // 1 or 2
  double margin = 1;
  Tensor weight = {};  // [classes]: factors of the classes' losses
  Reduction reduction = Reduction::mean;
};
// Σ_{j ≠ t} max(0, margin - input[t] + input[j])^p / classes; input [n, classes] or [classes], target int64 [n] or
// [].
Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginLossOptions& options = {});

// Σ max(0, 1 - input[y] + input[j]) / classes over the classes y named by the row of the target, up to its first
// -1, and all j that are none of them; input [n, classes] or [classes], target int64 of its shape. Takes n ×
// classes² elements of memory.
Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});

// log(1 + e^(-target * input)), targets 1 and -1; one shape.
Tensor soft_margin_loss(const Tensor& input, const Tensor& target, const LossOptions& options = {});

struct MultiLabelSoftMarginLossOptions {
  Tensor weight = {};  // factors of the classes; broadcasts to input's shape
  Reduction reduction = Reduction::mean;
};
// The mean over the classes (last dimension) of the cross entropies of sigmoid(input) with targets 0 and 1.
Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target,
                                   const MultiLabelSoftMarginLossOptions& options = {});

struct MarginRankingLossOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
// max(0, -target (first - second) + margin): target 1 where the first should rank higher, -1 where the second; all
// of one shape.
Tensor margin_ranking_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                           const MarginRankingLossOptions& options = {});

struct CosineEmbeddingLossOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
// With c the cosine between the rows: 1 - c where the target is 1, max(0, c - margin) where it is -1. first and
// second [n, d] with target [n], or [d] with [].
Tensor cosine_embedding_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                             const CosineEmbeddingLossOptions& options = {});

struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;
  double eps = 1e-6;
  bool swap = false;  // the negative's distance from the positive counts where it is smaller (Balntas et al., 2016)
  Reduction reduction = Reduction::mean;
};
// max(0, d(anchor, positive) - d(anchor, negative) + margin), d the distance of rows; all [n, d] or [d].
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options = {});

}  // namespace feral::nn
