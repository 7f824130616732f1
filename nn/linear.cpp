#include "nn/linear.hpp"

#include "autograd/ops/product.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"
#include "nn/repr.hpp"

namespace feral::nn {

Linear::Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias) {
  if (in_features < 1 || out_features < 1) fail("Linear: {} in and {} out features", in_features, out_features);
  weight = Tensor::empty({out_features, in_features});
  init::fan_in_uniform_(weight, in_features);
  register_parameter("weight", weight);
  if (!with_bias) return;
  bias = Tensor::empty({out_features});
  init::fan_in_uniform_(bias, in_features);
  register_parameter("bias", bias);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

std::string Linear::extra_repr() const {
  return fmt::format("in_features={}, out_features={}, bias={}", weight.shape()[1], weight.shape()[0],
                     repr_of(bias.defined()));
}

}  // namespace feral::nn
