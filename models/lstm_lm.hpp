// A language model: embedding, LSTM, one linear layer over the vocabulary.
#pragma once

#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/recurrent.hpp"

namespace feral::models {

struct LSTMLanguageModelOptions {
  std::int64_t vocabulary = 256;  // the values of a byte
  std::int64_t width = 64;        // of a token's vector
  std::int64_t hidden = 128;
  std::int64_t layers = 1;
  double dropout = 0;  // behind the embedding and each LSTM layer
};

// Tokens int64 [n, t] → log-probabilities of each next token, [n * t, vocabulary], sequence by sequence: what
// nll_loss takes with targets [n, t] flattened. Every sequence begins from states of 0. Parameters:
// embedding.weight, lstm.weight_ih_l0, …, fc.weight, fc.bias.
class LSTMLanguageModel : public nn::Module {
 public:
  explicit LSTMLanguageModel(const LSTMLanguageModelOptions& options = {});
  Tensor forward(const Tensor& tokens) override;

 private:
  nn::Embedding embedding_;
  nn::Dropout dropout_;
  nn::LSTM lstm_;
  nn::Linear fc_;
};

}  // namespace feral::models
