// Layers without parameters.
#pragma once

#include "autograd/ops/dropout.hpp"
#include "nn/module.hpp"
#include "nn/pooling.hpp"

namespace feral::nn {

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
