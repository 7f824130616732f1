#include "models/lstm_lm.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral::models {

LstmLm::LstmLm(const LstmLmOptions& options)
    : embedding_(options.vocabulary, options.width),
      lstm_(options.width, options.hidden,
            {.num_layers = options.layers, .batch_first = true, .dropout = options.dropout}),
      fc_(options.hidden, options.vocabulary),
      dropout_(options.dropout) {
  register_module("embedding", embedding_);
  register_module("lstm", lstm_);
  register_module("fc", fc_);
  register_module("dropout", dropout_);
}

Tensor LstmLm::forward(const Tensor& tokens) {
  if (!tokens.defined() || tokens.dims() != 2) {
    fail("LstmLm: tokens must be [n, t], got {}", tokens.defined() ? tokens.shape().to_string() : "undefined");
  }
  const Tensor states = dropout_(lstm_(dropout_(embedding_(tokens))));
  return log_softmax(fc_(states.reshape({tokens.numel(), states.shape()[2]})));
}

}  // namespace feral::models
