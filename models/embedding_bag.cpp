#include "models/embedding_bag.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral::models {

EmbeddingBagClassifier::Table::Table(const EmbeddingBagOptions& options) {
  if (options.vocabulary < 1 || options.width < 1 || options.classes < 1) {
    fail("EmbeddingBagClassifier: a vocabulary of {}, vectors of {} and {} classes", options.vocabulary,
         options.width, options.classes);
  }
  weight = Tensor::randn({options.vocabulary, options.width});
  register_parameter("weight", weight);
}

EmbeddingBagClassifier::EmbeddingBagClassifier(const EmbeddingBagOptions& options)
    : embedding_(options), fc_(options.width, options.classes) {
  register_module("embedding", embedding_);
  register_module("fc", fc_);
}

Tensor EmbeddingBagClassifier::forward(const Tensor& tokens, const Tensor& offsets) {
  return log_softmax(fc_(embedding_bag(embedding_.weight, tokens, offsets)));
}

}  // namespace feral::models
