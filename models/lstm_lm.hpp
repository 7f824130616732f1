// A language model: which byte, or word, comes next (Graves, "Generating sequences with recurrent neural networks",
// 2013).
#pragma once

#include <cstdint>

#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/linear.hpp"
#include "nn/recurrent.hpp"

namespace feral::models {

struct LstmLmOptions {
  std::int64_t vocabulary = 256;  // bytes
  std::int64_t width = 64;        // of a token's vector
  std::int64_t hidden = 128;
  std::int64_t layers = 1;
  double dropout = 0;  // of what goes into the LSTM, between its layers, and of what comes out
};

// Tokens [n, t] (int64 or int32, in [0, vocabulary)) → log-probabilities of the token behind each, [n · t,
// vocabulary]: the row of sequence i, step j is i · t + j. Parameters: embedding.weight, lstm.weight_ih_l0 …,
// fc.weight, fc.bias.
class LstmLm : public nn::Module {
 public:
  explicit LstmLm(const LstmLmOptions& options = {});
  Tensor forward(const Tensor& tokens) override;

 private:
  nn::Embedding embedding_;
  nn::LSTM lstm_;
  nn::Linear fc_;
  nn::Dropout dropout_;
};

}  // namespace feral::models
