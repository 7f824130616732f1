#include "nn/distance.hpp"

namespace feral::nn {

Tensor pairwise_distance(const Tensor& first, const Tensor& second, const PairwiseDistanceOptions& options) {
  return (first - second + options.eps).norm(options.p, -1, options.keepdim);
}

Tensor cosine_similarity(const Tensor& first, const Tensor& second, const CosineSimilarityOptions& options) {
  const auto length = [&](const Tensor& x) { return x.norm(2, options.dim, true).clamp_min(options.eps); };
  return (first / length(first) * (second / length(second))).sum(options.dim);
}

}  // namespace feral::nn
