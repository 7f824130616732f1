#include "models/embedding_bag.hpp"

#include "autograd/ops/classification.hpp"

namespace feral::models {

EmbeddingBagClassifier::EmbeddingBagClassifier(const EmbeddingBagOptions& options)
    : embedding_(options.vocabulary, options.width, {.sparse = options.sparse, .padding_idx = options.padding_idx}),
      fc_(options.width, options.classes) {
  register_module("embedding", embedding_);
  register_module("fc", fc_);
}

Tensor EmbeddingBagClassifier::forward(const Tensor& tokens, const Tensor& offsets) {
  return log_softmax(fc_(embedding_.forward(tokens, offsets)));
}

}  // namespace feral::models
