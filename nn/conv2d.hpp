// Two-dimensional convolution.
#pragma once

#include "nn/module.hpp"

namespace feral::nn {

struct Conv2dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;  // zeros on every side
  bool bias = true;
};

// x [n, in, h, w] → [n, out, oh, ow], oh = (h + 2 padding - kernel) / stride + 1. Parameters: weight
// [out, in, kernel, kernel], bias [out].
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size, Conv2dOptions options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  // undefined without one

 private:
  Conv2dOptions options_;
};

}  // namespace feral::nn
