#include "nn/parameter_vector.hpp"

#include "autograd/grad_mode.hpp"
#include "autograd/ops/join.hpp"
#include "core/fail.hpp"

namespace feral::nn {

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  if (parameters.empty()) fail("parameters_to_vector: no parameters");
  std::vector<Tensor> parts;
  for (const Tensor& parameter : parameters) {
    if (!parameter.defined() || parameter.dtype() != parameters.front().dtype()) {
      fail("parameters_to_vector: {} stands beside {}; convert the module with to()", parameter.to_string(),
           parameters.front().to_string());
    }
    parts.push_back(parameter.reshape({parameter.numel()}));
  }
  return cat(parts, 0);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  if (!vector.defined() || vector.dims() != 1) {
    fail("vector_to_parameters: expected a vector, got {}", vector.to_string());
  }
  std::int64_t elements = 0;
  for (const Tensor& parameter : parameters) {
    if (!parameter.defined()) fail("vector_to_parameters: a parameter is undefined");
    elements += parameter.numel();
  }
  if (elements != vector.numel()) {
    fail("vector_to_parameters: the vector has {} elements, the parameters have {}", vector.numel(), elements);
  }
  const NoGradGuard no_grad;
  std::int64_t start = 0;
  for (const Tensor& parameter : parameters) {
    parameter.copy_(vector.narrow(0, start, parameter.numel()).reshape(parameter.shape()));
    start += parameter.numel();
  }
}

}  // namespace feral::nn
