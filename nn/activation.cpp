#include "nn/activation.hpp"

#include <fmt/format.h>

#include "autograd/ops/check.hpp"
#include "autograd/ops/choice.hpp"
#include "core/fail.hpp"
#include "nn/repr.hpp"

namespace feral::nn {
namespace {

void check_lambda(std::string_view name, double lambda) {
  if (!(lambda >= 0)) fail("{}: lambda {} is below 0", name, lambda);
}

std::string dim_repr(std::int64_t dim) { return fmt::format("dim={}", dim); }

}  // namespace

Tensor prelu(const Tensor& x, const Tensor& weight) {
  ops::check_floating("prelu", x);
  ops::check_same_dtype("prelu", x, weight);
  Tensor slope = weight;
  if (weight.numel() != 1) {
    if (weight.dims() != 1 || x.dims() < 2 || x.shape()[1] != weight.shape()[0]) {
      fail("prelu: a weight of shape {} does not fit an input of shape {}; one number, or one for each channel",
           weight.shape().to_string(), x.shape().to_string());
    }
    Shape along;
    for (int i = 0; i < x.dims(); ++i) along.push_back(i == 1 ? weight.shape()[0] : 1);
    slope = weight.reshape(along);
  } else if (weight.dims() != 0) {
    slope = weight.reshape({});
  }
  return where(x.gt(0), x, x.clamp_max(0) * slope);  // an infinite x shall not reach the slope's gradient
}

Tensor selu(const Tensor& x) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  return x.elu(alpha) * scale;
}

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) fail("celu: alpha is 0, by which x is divided");
  return alpha == 1 ? x.elu() : (x / alpha).elu() * alpha;
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
  ops::check_floating("softplus", x);
  if (beta == 0) fail("softplus: beta is 0, by which the result is divided");
  // In float32 the function is x itself above 20.
  if (beta == 1 && threshold >= 20 && x.dtype() == DType::float32) return x.softplus();
  const Tensor scaled = beta == 1 ? x : x * beta;
  const Tensor smooth = scaled.softplus();
  return where(scaled.gt(threshold), x, beta == 1 ? smooth : smooth / beta);
}

Tensor softsign(const Tensor& x) { return x / (x.abs() + 1); }

Tensor softshrink(const Tensor& x, double l) {
  check_lambda("softshrink", l);
  return x - x.clamp(-l, l);
}

Tensor hardshrink(const Tensor& x, double l) { return x.masked_fill(x.abs().le(l), 0); }

Tensor tanhshrink(const Tensor& x) { return x - x.tanh(); }

Tensor relu6(const Tensor& x) { return x.hardtanh(0, 6); }

Tensor hardsigmoid(const Tensor& x) { return relu6(x + 3) / 6; }

Tensor hardswish(const Tensor& x) { return x * relu6(x + 3) / 6; }

Tensor threshold(const Tensor& x, double threshold, double value) { return x.masked_fill(x.le(threshold), value); }

Tensor softmin(const Tensor& x, std::int64_t dim) { return x.neg().softmax(dim); }

Tensor glu(const Tensor& x, std::int64_t dim) {
  ops::check_floating("glu", x);
  const std::int64_t size = x.size(dim);
  if (size % 2 != 0) fail("glu: dimension {} of shape {} has no halves", dim, x.shape().to_string());
  return x.narrow(dim, 0, size / 2) * x.narrow(dim, size / 2, size / 2).sigmoid();
}

PReLU::PReLU(const PReLUOptions& options) {
  if (options.num_parameters < 1) fail("PReLU: {} parameters; 1, or one for each channel", options.num_parameters);
  weight = Tensor::full({options.num_parameters}, options.init);
  register_parameter("weight", weight);
}

CELU::CELU(double alpha) : alpha_(alpha) {
  if (alpha == 0) fail("CELU: alpha is 0, by which x is divided");
}

Softshrink::Softshrink(double lambda) : lambda_(lambda) { check_lambda("Softshrink", lambda); }

Hardtanh::Hardtanh(HardtanhOptions options) : options_(options) {
  if (!(options.min_val < options.max_val)) {
    fail("Hardtanh: min_val {} is not below max_val {}", options.min_val, options.max_val);
  }
}

std::string LeakyReLU::extra_repr() const { return "negative_slope=" + repr_of(slope_); }
std::string PReLU::extra_repr() const { return fmt::format("num_parameters={}", weight.numel()); }
std::string ELU::extra_repr() const { return "alpha=" + repr_of(alpha_); }
std::string CELU::extra_repr() const { return "alpha=" + repr_of(alpha_); }
std::string GELU::extra_repr() const {
  return options_.tanh_approximation ? "approximate='tanh'" : "approximate='none'";
}
std::string Softplus::extra_repr() const {
  return "beta=" + repr_of(options_.beta) + ", threshold=" + repr_of(options_.threshold);
}
std::string Softshrink::extra_repr() const { return fmt::format("lambda={}", lambda_); }
std::string Hardshrink::extra_repr() const { return fmt::format("lambda={}", lambda_); }
std::string Hardtanh::extra_repr() const {
  return fmt::format("min_val={}, max_val={}", options_.min_val, options_.max_val);
}
std::string Threshold::extra_repr() const { return fmt::format("threshold={}, value={}", threshold_, value_); }
std::string Softmax::extra_repr() const { return dim_repr(dim_); }
std::string LogSoftmax::extra_repr() const { return dim_repr(dim_); }
std::string Softmin::extra_repr() const { return dim_repr(dim_); }
std::string GLU::extra_repr() const { return dim_repr(dim_); }

}  // namespace feral::nn
