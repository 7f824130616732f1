// A perceptron with one hidden layer.
#pragma once

#include "nn/linear.hpp"

namespace feral::models {

// x [n, 1, 28, 28] → log-probabilities [n, 10], through 128 hidden units.
class MLP : public nn::Module {
 public:
  MLP();
  Tensor forward(const Tensor& x) override;

 private:
  nn::Linear fc1_{784, 128};
  nn::Linear fc2_{128, 10};
};

}  // namespace feral::models
