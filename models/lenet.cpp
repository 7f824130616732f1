#include "models/lenet.hpp"

#include "autograd/ops/classification.hpp"

namespace feral::models {

LeNet::LeNet(double dropout_probability) : conv2_drop_(dropout_probability), fc1_drop_(dropout_probability) {
  register_module("conv1", conv1_);
  register_module("conv2", conv2_);
  register_module("conv2_drop", conv2_drop_);
  register_module("fc1", fc1_);
  register_module("fc1_drop", fc1_drop_);
  register_module("fc2", fc2_);
}

Tensor LeNet::forward(const Tensor& x) {
  Tensor h = max_pool2d(conv1_(x)).relu();        // [n, 10, 12, 12]
  h = max_pool2d(conv2_drop_(conv2_(h))).relu();  // [n, 20, 4, 4]
  h = fc1_drop_(fc1_(h.flatten(1)).relu());       // [n, 50]
  return log_softmax(fc2_(h));                    // [n, 10]
}

}  // namespace feral::models
