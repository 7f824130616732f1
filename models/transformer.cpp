#include "models/transformer.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::models {
namespace {

std::int64_t patches_of(const ImageTransformerOptions& options) {
  if (options.patch < 1 || options.image < options.patch || options.image % options.patch != 0) {
    fail("ImageTransformer: images of {} rows are not made of patches of {}", options.image, options.patch);
  }
  const std::int64_t side = options.image / options.patch;
  return side * side;
}

}  // namespace

ImageTransformer::ImageTransformer(const ImageTransformerOptions& options)
    : position_(Tensor::empty({patches_of(options), options.width})),
      patches_(options.channels, options.width, options.patch, {.stride = options.patch}),
      encoder_(options.width, options.heads, options.layers,
               {.dim_feedforward = options.feed_forward,
                .dropout = options.dropout,
                .activation = nn::TransformerActivation::gelu,
                .batch_first = true,
                .norm_first = true},
               true),
      fc_(options.width, options.classes) {
  nn::init::trunc_normal_(position_, 0, 0.02);
  register_parameter("position", position_);
  register_module("patches", patches_);
  register_module("encoder", encoder_);
  register_module("fc", fc_);
}

Tensor ImageTransformer::forward(const Tensor& x) {
  const Tensor tokens = patches_(x).flatten(2).transpose(1, 2);  // [n, patches, width]
  return log_softmax(fc_(encoder_(tokens + position_).mean(1)));
}

}  // namespace feral::models
