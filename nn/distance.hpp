// How far and how similar vectors are.
#pragma once

#include "nn/module.hpp"

namespace feral::nn {

struct PairwiseDistanceOptions {
  double p = 2;
  double eps = 1e-6;  // added to each difference: no kink where vectors meet
  bool keepdim = false;
};
// The p-norm of first - second + eps along the last dimension; shapes broadcast.
Tensor pairwise_distance(const Tensor& first, const Tensor& second, const PairwiseDistanceOptions& options = {});

struct CosineSimilarityOptions {
  std::int64_t dim = 1;
  double eps = 1e-8;  // lengths below count as this
};
// The cosine of the angle between vectors along a dimension; shapes broadcast.
Tensor cosine_similarity(const Tensor& first, const Tensor& second, const CosineSimilarityOptions& options = {});

class PairwiseDistance : public Module {
 public:
  explicit PairwiseDistance(const PairwiseDistanceOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& first, const Tensor& second) { return pairwise_distance(first, second, options_); }

 private:
  PairwiseDistanceOptions options_;
};

class CosineSimilarity : public Module {
 public:
  explicit CosineSimilarity(const CosineSimilarityOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& first, const Tensor& second) { return cosine_similarity(first, second, options_); }

 private:
  CosineSimilarityOptions options_;
};

}  // namespace feral::nn
