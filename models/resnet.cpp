#include "models/resnet.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"

namespace feral::models {
namespace {

const ResNetOptions& checked(const ResNetOptions& options) {
  if (options.channels.empty() || options.blocks < 1) {
    fail("ResNet: {} stages of {} blocks; there must be at least one of each", options.channels.size(),
         options.blocks);
  }
  return options;
}

nn::Conv2dOptions without_bias(std::int64_t stride, std::int64_t padding) {
  return {.stride = stride, .padding = padding, .bias = false};
}

}  // namespace

BasicBlock::BasicBlock(std::int64_t in_channels, std::int64_t out_channels, std::int64_t stride)
    : conv1_(in_channels, out_channels, 3, without_bias(stride, 1)),
      bn1_(out_channels),
      conv2_(out_channels, out_channels, 3, without_bias(1, 1)),
      bn2_(out_channels) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  register_module("conv2", conv2_);
  register_module("bn2", bn2_);
  if (stride == 1 && in_channels == out_channels) return;
  downsample_ = std::make_shared<nn::Sequential>();
  downsample_->emplace<nn::Conv2d>(in_channels, out_channels, 1, without_bias(stride, 0))
      .emplace<nn::BatchNorm2d>(out_channels);
  register_module("downsample", downsample_);
}

Tensor BasicBlock::forward(const Tensor& x) {
  const Tensor h = bn2_(conv2_(bn1_(conv1_(x)).relu()));
  return (h + (downsample_ == nullptr ? x : (*downsample_)(x))).relu();
}

ResNet::ResNet(const ResNetOptions& options)
    : conv1_(options.in_channels, checked(options).channels.front(), 3, without_bias(1, 1)),
      bn1_(options.channels.front()),
      fc_(options.channels.back(), options.classes) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  std::int64_t in = options.channels.front();
  for (const std::int64_t out : options.channels) {
    auto layer = std::make_shared<nn::Sequential>();
    for (std::int64_t block = 0; block < options.blocks; ++block) {
      const bool halves = block == 0 && !layers_.empty();
      layer->emplace<BasicBlock>(in, out, halves ? 2 : 1);
      in = out;
    }
    register_module("layer" + std::to_string(layers_.size() + 1), layer);
    layers_.push_back(std::move(layer));
  }
  register_module("fc", fc_);
}

Tensor ResNet::forward(const Tensor& x) {
  Tensor h = bn1_(conv1_(x)).relu();
  for (const auto& layer : layers_) h = (*layer)(h);
  return log_softmax(fc_(h.mean({2, 3})));
}

}  // namespace feral::models
