#include "nn/init.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/grad_mode.hpp"
#include "autograd/ops/linalg.hpp"
#include "core/fail.hpp"

namespace feral::nn::init {
namespace {

void check_target(std::string_view name, const Tensor& tensor) {
  if (!tensor.defined() || !has_gradient(tensor.dtype()) || !tensor.is_contiguous()) {
    fail("{}: expected a contiguous tensor of float32 or float64, got {}", name, tensor.to_string());
  }
}

void check_matrix(std::string_view name, const Tensor& tensor) {
  check_target(name, tensor);
  if (tensor.dims() != 2) fail("{}: expected a matrix, got {}", name, tensor.to_string());
}

double xavier_deviation(std::string_view name, const Tensor& tensor, double gain) {
  check_target(name, tensor);
  const Fans fans = fans_of(tensor);
  return gain * std::sqrt(2.0 / static_cast<double>(std::max<std::int64_t>(1, fans.in + fans.out)));
}

double kaiming_deviation(std::string_view name, const Tensor& tensor, const KaimingOptions& options) {
  check_target(name, tensor);
  const Fans fans = fans_of(tensor);
  const std::int64_t fan = options.mode == FanMode::fan_in ? fans.in : fans.out;
  return calculate_gain(options.nonlinearity, options.a) /
         std::sqrt(static_cast<double>(std::max<std::int64_t>(1, fan)));
}

}  // namespace

void uniform_(const Tensor& tensor, double low, double high, Generator& generator) {
  check_target("uniform_", tensor);
  const NoGradGuard no_grad;
  tensor.uniform_(low, high, &generator);
}

void normal_(const Tensor& tensor, double mean, double std, Generator& generator) {
  check_target("normal_", tensor);
  const NoGradGuard no_grad;
  tensor.normal_(mean, std, &generator);
}

void trunc_normal_(const Tensor& tensor, double mean, double std, double low, double high, Generator& generator) {
  check_target("trunc_normal_", tensor);
  const NoGradGuard no_grad;
  tensor.truncated_normal_(mean, std, low, high, &generator);
}

void constant_(const Tensor& tensor, double value) {
  check_target("constant_", tensor);
  const NoGradGuard no_grad;
  tensor.fill_(value);
}

void ones_(const Tensor& tensor) { constant_(tensor, 1); }
void zeros_(const Tensor& tensor) { constant_(tensor, 0); }

void eye_(const Tensor& tensor) {
  check_matrix("eye_", tensor);
  const NoGradGuard no_grad;
  tensor.zero_();
  tensor.diagonal().fill_(1);
}

void dirac_(const Tensor& tensor, std::int64_t groups) {
  check_target("dirac_", tensor);
  if (tensor.dims() < 3 || tensor.dims() > 5) {
    fail("dirac_: expected the weight of a convolution, of 3 to 5 dimensions, got {}", tensor.to_string());
  }
  const std::int64_t filters = tensor.shape()[0];
  if (groups < 1 || filters % groups != 0) fail("dirac_: {} filters do not fall into {} groups", filters, groups);
  const NoGradGuard no_grad;
  tensor.zero_();
  const std::int64_t each = filters / groups;
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t i = 0; i < std::min(each, tensor.shape()[1]); ++i) {
      Tensor kernel = tensor.detach().select(0, group * each + i).select(0, i);
      while (kernel.dims() > 0) kernel = kernel.select(0, kernel.shape()[0] / 2);
      kernel.fill_(1);
    }
  }
}

Fans fans_of(const Tensor& weight) {
  if (!weight.defined() || weight.dims() < 2) {
    fail("init: fan-in and fan-out are of weights with two dimensions and more, got {}", weight.to_string());
  }
  std::int64_t taps = 1;
  for (int i = 2; i < weight.dims(); ++i) taps *= weight.shape()[i];
  return {.in = weight.shape()[1] * taps, .out = weight.shape()[0] * taps};
}

double calculate_gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;  // PyTorch's, found by trial
    default:
      return 1;
  }
}

// Uniform numbers within ±b have a deviation of b / √3.
void xavier_uniform_(const Tensor& tensor, double gain, Generator& generator) {
  const double bound = std::sqrt(3.0) * xavier_deviation("xavier_uniform_", tensor, gain);
  uniform_(tensor, -bound, bound, generator);
}

void xavier_normal_(const Tensor& tensor, double gain, Generator& generator) {
  normal_(tensor, 0, xavier_deviation("xavier_normal_", tensor, gain), generator);
}

void kaiming_uniform_(const Tensor& tensor, KaimingOptions options, Generator& generator) {
  const double bound = std::sqrt(3.0) * kaiming_deviation("kaiming_uniform_", tensor, options);
  uniform_(tensor, -bound, bound, generator);
}

void kaiming_normal_(const Tensor& tensor, KaimingOptions options, Generator& generator) {
  normal_(tensor, 0, kaiming_deviation("kaiming_normal_", tensor, options), generator);
}

void orthogonal_(const Tensor& tensor, double gain, Generator& generator) {
  check_target("orthogonal_", tensor);
  if (tensor.dims() < 2) fail("orthogonal_: expected two dimensions or more, got {}", tensor.to_string());
  if (tensor.numel() == 0) return;
  const NoGradGuard no_grad;
  const std::int64_t rows = tensor.shape()[0];
  const std::int64_t columns = tensor.numel() / rows;
  const bool wide = rows < columns;
  const auto [q, r] =
      linalg::qr(Tensor::randn({std::max(rows, columns), std::min(rows, columns)}, tensor.dtype(), &generator));
  // With the signs of r's diagonal the matrices are evenly distributed: Mezzadri, "How to generate random matrices
  // from the classical compact groups", 2007.
  Tensor basis = q * r.diagonal().sign();
  if (wide) basis = basis.t();
  tensor.detach().reshape({rows, columns}).copy_(basis * gain);
}

void sparse_(const Tensor& tensor, double sparsity, double std, Generator& generator) {
  check_matrix("sparse_", tensor);
  if (!(sparsity >= 0 && sparsity <= 1)) fail("sparse_: sparsity {} is outside of [0, 1]", sparsity);
  const std::int64_t rows = tensor.shape()[0];
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  normal_(tensor, 0, std, generator);
  const NoGradGuard no_grad;
  for (std::int64_t column = 0; column < tensor.shape()[1]; ++column) {
    const Tensor order = Tensor::randperm(rows, &generator);
    for (std::int64_t i = 0; i < zeros; ++i) {
      tensor.detach().select(1, column).select(0, order.data<std::int64_t>()[i]).zero_();
    }
  }
}

void fan_in_uniform_(const Tensor& tensor, std::int64_t fan_in, Generator& generator) {
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  uniform_(tensor, -bound, bound, generator);
}

}  // namespace feral::nn::init
