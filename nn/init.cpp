#include "nn/init.hpp"

#include <cmath>

#include "core/fail.hpp"
#include "tensor/kernels.hpp"

namespace feral::nn::init {

void uniform_(const Tensor& tensor, double low, double high, Generator& generator) {
  if (!has_gradient(tensor.dtype()) || !tensor.is_contiguous()) {
    fail("uniform_: expected a contiguous floating tensor, got {}", tensor.to_string());
  }
  const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(tensor.numel()));
  kernels(tensor.device()).uniform(tensor, low, high, generator.seed(), generator.stream(), first);
}

void fan_in_uniform_(const Tensor& tensor, std::int64_t fan_in, Generator& generator) {
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  uniform_(tensor, -bound, bound, generator);
}

}  // namespace feral::nn::init
