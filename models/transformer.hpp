// A Transformer encoder that classifies images by their patches (Dosovitskiy et al., "An image is worth 16x16
// words", 2021), with the mean of the patches in the place of a class token.
#pragma once

#include "nn/conv.hpp"
#include "nn/linear.hpp"
#include "nn/transformer.hpp"

namespace feral::models {

struct ImageTransformerOptions {
  std::int64_t image = 28;  // rows, and columns; a multiple of patch
  std::int64_t channels = 1;
  std::int64_t patch = 7;
  std::int64_t width = 64;
  std::int64_t heads = 4;
  std::int64_t feed_forward = 128;
  std::int64_t layers = 2;
  std::int64_t classes = 10;
  double dropout = 0.1;
};

// x [n, channels, image, image] → log-probabilities [n, classes]. Parameters: position [patches, width], learned;
// patches.weight and .bias (a convolution whose stride is its kernel), encoder.layers.0.self_attn.in_proj_weight,
// …, encoder.norm.weight and .bias, fc.weight and .bias. Layers normalize first.
class ImageTransformer : public nn::Module {
 public:
  explicit ImageTransformer(const ImageTransformerOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  Tensor position_;
  nn::Conv2d patches_;
  nn::TransformerEncoder encoder_;
  nn::Linear fc_;
};

}  // namespace feral::models
