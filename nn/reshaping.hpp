// Modules that give a tensor another shape or size.
#pragma once

#include <cstdint>
#include <string>

#include "autograd/ops/interpolate.hpp"
#include "nn/module.hpp"

namespace feral::nn {

// x as it is.
class Identity : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x; }
};

// The dimensions from start_dim to end_dim as one; either may count from the end.
class Flatten : public Module {
 public:
  explicit Flatten(std::int64_t start_dim = 1, std::int64_t end_dim = -1)
      : start_dim_(start_dim), end_dim_(end_dim) {}
  Tensor forward(const Tensor& x) override { return x.flatten(start_dim_, end_dim_); }
  std::string extra_repr() const override;

 private:
  std::int64_t start_dim_;
  std::int64_t end_dim_;
};

// One dimension as several; one of the sizes may be -1.
class Unflatten : public Module {
 public:
  Unflatten(std::int64_t dim, const Shape& unflattened_size);
  Tensor forward(const Tensor& x) override { return x.unflatten(dim_, sizes_); }
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
  Shape sizes_;
};

// Images [n, c, d…] of another size: PyTorch's modes nearest, and linear, which is its linear, bilinear or
// trilinear (autograd/ops/interpolate.hpp has the options: size, scale, mode, align_corners).
class Upsample : public Module {
 public:
  explicit Upsample(const InterpolateOptions& options);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  InterpolateOptions options_;
};

// x [..., c r², h, w] → [..., c, h r, w r]; Shi et al., "Real-time single image and video super-resolution using an
// efficient sub-pixel convolutional neural network", 2016.
class PixelShuffle : public Module {
 public:
  explicit PixelShuffle(std::int64_t upscale_factor);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  std::int64_t factor_;
};

// x [..., c, h r, w r] → [..., c r², h, w]: the way back.
class PixelUnshuffle : public Module {
 public:
  explicit PixelUnshuffle(std::int64_t downscale_factor);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  std::int64_t factor_;
};

}  // namespace feral::nn
