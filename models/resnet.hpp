// A residual network for small images: He et al., "Deep residual learning for image recognition", 2016.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/batch_norm.hpp"
#include "nn/container.hpp"
#include "nn/conv.hpp"
#include "nn/linear.hpp"

namespace feral::models {

// Two 3×3 convolutions, each with batch normalization, and the input added to what they make: x [n, in, h, w] →
// [n, out, h / stride, w / stride], sizes rounded up. Where the shapes differ, a 1×1 convolution, `downsample`,
// brings the input to the other one.
class BasicBlock : public nn::Module {
 public:
  BasicBlock(std::int64_t in_channels, std::int64_t out_channels, std::int64_t stride = 1);
  Tensor forward(const Tensor& x) override;

 private:
  nn::Conv2d conv1_;
  nn::BatchNorm2d bn1_;
  nn::Conv2d conv2_;
  nn::BatchNorm2d bn2_;
  std::shared_ptr<nn::Sequential> downsample_;  // none where the input fits as it is
};

struct ResNetOptions {
  std::int64_t in_channels = 1;
  std::vector<std::int64_t> channels = {16, 32, 64};  // of each stage; every stage but the first halves the image
  std::int64_t blocks = 1;                            // a stage
  std::int64_t classes = 10;
};

// x [n, in_channels, h, w] → log-probabilities [n, classes]: a 3×3 convolution, stages of blocks, the mean over the
// image, and a linear layer. 77,562 parameters as it stands, for images of 28×28 or 32×32.
class ResNet : public nn::Module {
 public:
  explicit ResNet(const ResNetOptions& options = {});
  Tensor forward(const Tensor& x) override;

 private:
  nn::Conv2d conv1_;
  nn::BatchNorm2d bn1_;
  std::vector<std::shared_ptr<nn::Sequential>> layers_;
  nn::Linear fc_;
};

}  // namespace feral::models
