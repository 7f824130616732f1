#include "models/lstm_lm.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral::models {

LSTMLanguageModel::LSTMLanguageModel(const LSTMLanguageModelOptions& options)
    : embedding_(options.vocabulary, options.width),
      dropout_(options.dropout),
      lstm_(
          options.width, options.hidden,
          {.num_layers = options.layers, .batch_first = true, .dropout = options.layers > 1 ? options.dropout : 0}),
      fc_(options.hidden, options.vocabulary) {
  register_module("embedding", embedding_);
  register_module("dropout", dropout_);
  register_module("lstm", lstm_);
  register_module("fc", fc_);
}

Tensor LSTMLanguageModel::forward(const Tensor& tokens) {
  if (!tokens.defined() || tokens.dims() != 2) {
    fail("LSTMLanguageModel: expected tokens [n, t], got {}", tokens.to_string());
  }
  const Tensor states = dropout_(lstm_(dropout_(embedding_(tokens))));  // [n, t, hidden]
  return log_softmax(fc_(states.flatten(0, 1)));
}

}  // namespace feral::models
