#include "nn/conv2d.hpp"

#include "autograd/ops/convolution.hpp"
#include "core/fail.hpp"
#include "nn/init.hpp"

namespace feral::nn {

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size, Conv2dOptions options)
    : options_(options) {
  if (in_channels < 1 || out_channels < 1 || kernel_size < 1 || options.stride < 1 || options.padding < 0) {
    fail("Conv2d: {} in, {} out channels, kernel {}, stride {}, padding {}", in_channels, out_channels, kernel_size,
         options.stride, options.padding);
  }
  const std::int64_t fan_in = in_channels * kernel_size * kernel_size;
  weight = Tensor::empty({out_channels, in_channels, kernel_size, kernel_size});
  init::fan_in_uniform_(weight, fan_in);
  register_parameter("weight", weight);
  if (!options.bias) return;
  bias = Tensor::empty({out_channels});
  init::fan_in_uniform_(bias, fan_in);
  register_parameter("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  return conv2d(x, weight, bias, {.stride = options_.stride, .padding = options_.padding});
}

}  // namespace feral::nn
