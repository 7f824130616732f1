// Layers without parameters.
#pragma once

#include "autograd/ops/pooling.hpp"
#include "nn/activation.hpp"
#include "nn/dropout.hpp"
#include "nn/module.hpp"

namespace feral::nn {

// The largest of each window of x [n, c, h, w].
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(std::int64_t kernel_size) : MaxPool2d(kernel_size, kernel_size) {}
  MaxPool2d(std::int64_t kernel_size, std::int64_t stride) : options_{.kernel = kernel_size, .stride = stride} {}
  Tensor forward(const Tensor& x) override { return max_pool2d(x, options_); }

 private:
  PoolOptions<2> options_;
};

}  // namespace feral::nn
