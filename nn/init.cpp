#include "nn/init.hpp"

#include <cmath>

#include "core/fail.hpp"

namespace feral::nn::init {

void uniform_(const Tensor& tensor, double low, double high, Generator& generator) {
  if (!has_gradient(tensor.dtype()) || !tensor.is_contiguous()) {
    fail("uniform_: expected a contiguous floating tensor, got {}", tensor.to_string());
  }
  tensor.uniform_(low, high, &generator);
}

void fan_in_uniform_(const Tensor& tensor, std::int64_t fan_in, Generator& generator) {
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  uniform_(tensor, -bound, bound, generator);
}

}  // namespace feral::nn::init
