// A bag of words: the mean of the words' vectors, classified by one linear layer (Joulin et al., "Bag of tricks for
// efficient text classification", 2016).
#pragma once

#include <optional>

#include "nn/embedding.hpp"
#include "nn/linear.hpp"

namespace feral::models {

struct EmbeddingBagOptions {
  std::int64_t vocabulary = 10'000;
  std::int64_t width = 64;  // of a word's vector
  std::int64_t classes = 4;
  std::optional<std::int64_t> padding_idx = {};  // a token that takes no part: 0 for data::LabelledText
  bool sparse = false;                           // the table's gradient holds the rows of a batch alone
};

// Tokens (int64 or int32) in [0, vocabulary) → log-probabilities [bags, classes]. Parameters: embedding.weight,
// normal numbers at first, fc.weight and fc.bias.
class EmbeddingBagClassifier : public nn::Module {
 public:
  explicit EmbeddingBagClassifier(const EmbeddingBagOptions& options = {});
  // tokens [bags, k]: every row is a text.
  Tensor forward(const Tensor& tokens) override { return forward(tokens, Tensor()); }
  // tokens [m], one text behind the other; offsets [bags]: where each begins.
  Tensor forward(const Tensor& tokens, const Tensor& offsets);

 private:
  nn::EmbeddingBag embedding_;
  nn::Linear fc_;
};

}  // namespace feral::models
