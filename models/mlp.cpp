#include "models/mlp.hpp"

#include "autograd/ops/classification.hpp"

namespace feral::models {

MLP::MLP() {
  register_module("fc1", fc1_);
  register_module("fc2", fc2_);
}

Tensor MLP::forward(const Tensor& x) { return log_softmax(fc2_(fc1_(x.flatten(1)).relu())); }

}  // namespace feral::models
