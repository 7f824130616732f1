#include "nn/bilinear.hpp"

#include <array>

#include "core/fail.hpp"
#include "nn/init.hpp"
#include "nn/repr.hpp"

namespace feral::nn {

Bilinear::Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
                   bool with_bias) {
  if (in1_features < 1 || in2_features < 1 || out_features < 1) {
    fail("Bilinear: {} and {} in, {} out features; all must be at least 1", in1_features, in2_features,
         out_features);
  }
  weight = Tensor::empty({out_features, in1_features, in2_features});
  init::fan_in_uniform_(weight, in1_features);
  register_parameter("weight", weight);
  if (!with_bias) return;
  bias = Tensor::empty({out_features});
  init::fan_in_uniform_(bias, in1_features);
  register_parameter("bias", bias);
}

Tensor Bilinear::forward(const Tensor& x1, const Tensor& x2) {
  const auto [out, in1, in2] = std::array{weight.shape()[0], weight.shape()[1], weight.shape()[2]};
  const bool defined = x1.defined() && x2.defined();
  bool fits = defined && x1.dims() >= 1 && x1.dims() == x2.dims() && x1.size(-1) == in1 && x2.size(-1) == in2;
  for (int i = 0; fits && i + 1 < x1.dims(); ++i) fits = x1.shape()[i] == x2.shape()[i];
  if (!fits) {
    fail("Bilinear: expected [..., {}] and [..., {}] with the same dimensions before, got {} and {}", in1, in2,
         x1.to_string(), x2.to_string());
  }
  Shape shape = x1.shape();
  shape[x1.dims() - 1] = out;
  const std::int64_t rows = x1.numel() / in1;
  // One product for all of the first factor: [rows, in1] × [in1, out × in2].
  const Tensor first = x1.reshape({rows, in1}).matmul(weight.transpose(0, 1).reshape({in1, out * in2}));
  const Tensor result = first.reshape({rows, out, in2}).matmul(x2.reshape({rows, in2, 1})).reshape(shape);
  return bias.defined() ? result + bias : result;
}

std::string Bilinear::extra_repr() const {
  return fmt::format("in1_features={}, in2_features={}, out_features={}, bias={}", weight.shape()[1],
                     weight.shape()[2], weight.shape()[0], repr_of(bias.defined()));
}

}  // namespace feral::nn
