#include "models/transformer.hpp"

#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::models {
namespace {

constexpr std::int64_t side = 28;
constexpr std::int64_t across = 4;  // patches
constexpr std::int64_t patch = side / across;
constexpr std::int64_t width = 64;

}  // namespace

PatchTransformer::PatchTransformer(double dropout)
    : positions_(Tensor::empty({across * across, width})),
      patches_(patch * patch, width),
      encoder_(width, 4, 2, {.dim_feedforward = 128, .dropout = dropout, .batch_first = true}),
      fc_(width, 10) {
  nn::init::normal_(positions_, 0, 0.02);
  register_parameter("positions", positions_);
  register_module("patches", patches_);
  register_module("encoder", encoder_);
  register_module("fc", fc_);
}

Tensor PatchTransformer::forward(const Tensor& x) {
  if (!x.defined() || x.numel() != x.size(0) * side * side || x.dims() != 4 || x.shape()[2] != side) {
    fail("PatchTransformer: images of shape {} do not fit, expected [n, 1, {}, {}]",
         x.defined() ? x.shape().to_string() : "undefined", side, side);
  }
  const std::int64_t n = x.shape()[0];
  const Tensor rows =
      x.reshape({n, across, patch, across, patch}).transpose(2, 3).reshape({n, across * across, patch * patch});
  return log_softmax(fc_(encoder_(patches_(rows) + positions_).mean({1})));
}

}  // namespace feral::models
