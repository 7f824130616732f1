// Layers without parameters.
#pragma once

#include "autograd/ops/dropout.hpp"
#include "autograd/ops/pooling.hpp"
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

class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x.relu(); }
};

// Drops elements while training.
class Dropout : public Module {
 public:
  explicit Dropout(double probability = 0.5) : probability_(probability) {}
  Tensor forward(const Tensor& x) override { return dropout(x, probability_, is_training()); }

 private:
  double probability_;
};

// Drops whole planes of x [n, c, h, w] while training.
class Dropout2d : public Module {
 public:
  explicit Dropout2d(double probability = 0.5) : probability_(probability) {}
  Tensor forward(const Tensor& x) override { return dropout2d(x, probability_, is_training()); }

 private:
  double probability_;
};

}  // namespace feral::nn
