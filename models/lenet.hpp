// LeNet as in the classic Hogwild example of PyTorch: 21,840 parameters.
#pragma once

#include "nn/conv.hpp"
#include "nn/layers.hpp"
#include "nn/linear.hpp"

namespace feral::models {

// x [n, 1, 28, 28] → log-probabilities [n, 10].
class LeNet : public nn::Module {
 public:
  explicit LeNet(double dropout_probability = 0.5);
  Tensor forward(const Tensor& x) override;

 private:
  nn::Conv2d conv1_{1, 10, 5};
  nn::Conv2d conv2_{10, 20, 5};
  nn::Dropout2d conv2_drop_;
  nn::Linear fc1_{320, 50};
  nn::Dropout fc1_drop_;
  nn::Linear fc2_{50, 10};
};

}  // namespace feral::models
