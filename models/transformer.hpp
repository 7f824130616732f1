// A Transformer encoder that classifies images by their patches (Dosovitskiy et al., "An image is worth 16x16
// words", 2021).
#pragma once

#include "nn/linear.hpp"
#include "nn/transformer.hpp"

namespace feral::models {

// x [n, 1, 28, 28] → log-probabilities [n, 10]. The image's 4 × 4 patches of 7 × 7 pixels become 16 vectors of 64,
// learned positions are added, two encoder layers of 4 heads follow, and the mean of the vectors is classified.
// Parameters: positions [16, 64], patches.weight, patches.bias, encoder.layers.0.self_attn.in_proj_weight …,
// fc.weight, fc.bias.
class PatchTransformer : public nn::Module {
 public:
  explicit PatchTransformer(double dropout = 0);
  Tensor forward(const Tensor& x) override;

 private:
  Tensor positions_;
  nn::Linear patches_;
  nn::TransformerEncoder encoder_;
  nn::Linear fc_;
};

}  // namespace feral::models
