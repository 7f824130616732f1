#include "autograd/functional.hpp"

#include "autograd/grad.hpp"
#include "autograd/grad_mode.hpp"
#include "autograd/ops/join.hpp"
#include "core/fail.hpp"

namespace feral::autograd {
namespace {

void check_inputs(std::string_view op, const std::vector<Tensor>& inputs) {
  if (inputs.empty()) fail("{}: there are no inputs", op);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !is_floating(inputs[i].dtype())) {
      fail("{}: input {} is {}, not a floating tensor", op, i, inputs[i].to_string());
    }
  }
}

// What the function is differentiated by: leaves, or with create_graph a recorded look at what the caller gave.
std::vector<Tensor> variables(const std::vector<Tensor>& inputs, bool create_graph) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) {
    if (create_graph && input.requires_grad()) {
      result.push_back(input.as_strided(input.shape(), input.strides()));
    } else {
      result.push_back(input.detach());
      result.back().set_requires_grad(true);
    }
  }
  return result;
}

Tensor value_of(std::string_view op, const TensorFunction& function, const std::vector<Tensor>& inputs) {
  const Tensor value = function(inputs);
  if (!value.defined()) fail("{}: the function answered an undefined tensor", op);
  return value;
}

Tensor settled(const Tensor& tensor, bool create_graph) { return create_graph ? tensor : tensor.detach(); }

// Gradients, zeros where the outputs do not depend on an input.
std::vector<Tensor> grad_or_zeros(const Tensor& output, const std::vector<Tensor>& inputs, const Tensor& v,
                                  bool create_graph, bool retain_graph = false) {
  std::vector<Tensor> gradients(inputs.size());
  if (output.requires_grad()) {
    gradients = grad({output}, inputs, {v},
                     {.retain_graph = retain_graph, .create_graph = create_graph, .allow_unused = true});
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = Tensor::zeros_like(inputs[i]);
  }
  return gradients;
}

void check_directions(std::string_view op, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v) {
  if (v.size() != inputs.size()) fail("{}: {} directions for {} inputs", op, v.size(), inputs.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!v[i].defined() || !(v[i].shape() == inputs[i].shape()) || v[i].dtype() != inputs[i].dtype()) {
      fail("{}: direction {} is {}, the input {}", op, i, v[i].to_string(), inputs[i].to_string());
    }
  }
}

void check_scalar(std::string_view op, const Tensor& value) {
  if (value.numel() != 1) fail("{}: the function's value has shape {}", op, value.shape().to_string());
}

// The sum of all products of elements.
Tensor inner_product(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Tensor sum = (a[0] * b[0]).sum();
  for (std::size_t i = 1; i < a.size(); ++i) sum = sum + (a[i] * b[i]).sum();
  return sum;
}

Shape joined(const Shape& a, const Shape& b) {
  Shape result = a;
  for (const std::int64_t size : b) result.push_back(size);
  return result;
}

// The gradients of every element of `value`, one row each.
std::vector<Tensor> rows_of_jacobian(const Tensor& value, const std::vector<Tensor>& inputs, bool create_graph) {
  const std::int64_t count = value.numel();
  std::vector<std::vector<Tensor>> rows(inputs.size());
  for (std::int64_t k = 0; k < count; ++k) {
    Tensor one = Tensor::zeros(value.shape(), value.dtype());
    one.reshape({-1}).narrow(0, k, 1).fill_(1);
    std::vector<Tensor> gradients = grad_or_zeros(value, inputs, one, create_graph, true);
    for (std::size_t i = 0; i < inputs.size(); ++i) rows[i].push_back(std::move(gradients[i]));
  }
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape shape = joined(value.shape(), inputs[i].shape());
    const Tensor all = count == 0 ? Tensor::zeros(shape, inputs[i].dtype()) : stack(rows[i], 0).reshape(shape);
    result.push_back(settled(all, create_graph));
  }
  return result;
}

}  // namespace

std::pair<Tensor, std::vector<Tensor>> vjp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                           const Tensor& v, bool create_graph) {
  check_inputs("vjp", inputs);
  const GradModeGuard record(true);
  const std::vector<Tensor> x = variables(inputs, create_graph);
  const Tensor value = value_of("vjp", function, x);
  if (!v.defined() && value.numel() != 1) {
    fail("vjp: the function's value has shape {}; pass a v of it", value.shape().to_string());
  }
  if (v.defined() && !(v.shape() == value.shape() && v.dtype() == value.dtype())) {
    fail("vjp: v is {}, the function's value {}", v.to_string(), value.to_string());
  }
  return {settled(value, create_graph), grad_or_zeros(value, x, v, create_graph)};
}

std::pair<Tensor, Tensor> jvp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                              const std::vector<Tensor>& v, bool create_graph) {
  check_inputs("jvp", inputs);
  check_directions("jvp", inputs, v);
  const GradModeGuard record(true);
  const std::vector<Tensor> x = variables(inputs, create_graph);
  const Tensor value = value_of("jvp", function, x);
  Tensor u = Tensor::zeros(value.shape(), value.dtype());
  if (!value.requires_grad()) return {settled(value, create_graph), u};
  u.set_requires_grad(true);
  const std::vector<Tensor> transposed = grad_or_zeros(value, x, u, true);
  const Tensor along = inner_product(transposed, v);  // vᵀJᵀu
  return {settled(value, create_graph), grad_or_zeros(along, {u}, {}, create_graph)[0]};
}

std::vector<Tensor> jacobian(const TensorFunction& function, const std::vector<Tensor>& inputs, bool create_graph) {
  check_inputs("jacobian", inputs);
  const GradModeGuard record(true);
  const std::vector<Tensor> x = variables(inputs, create_graph);
  return rows_of_jacobian(value_of("jacobian", function, x), x, create_graph);
}

std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                         bool create_graph) {
  check_inputs("hessian", inputs);
  const GradModeGuard record(true);
  const std::vector<Tensor> x = variables(inputs, create_graph);
  const Tensor value = value_of("hessian", function, x);
  check_scalar("hessian", value);
  std::vector<std::vector<Tensor>> result;
  for (const Tensor& gradient : grad_or_zeros(value, x, Tensor::ones(value.shape(), value.dtype()), true)) {
    result.push_back(rows_of_jacobian(gradient, x, create_graph));
  }
  return result;
}

std::pair<Tensor, std::vector<Tensor>> hvp(const TensorFunction& function, const std::vector<Tensor>& inputs,
                                           const std::vector<Tensor>& v, bool create_graph) {
  check_inputs("hvp", inputs);
  check_directions("hvp", inputs, v);
  const GradModeGuard record(true);
  const std::vector<Tensor> x = variables(inputs, create_graph);
  const Tensor value = value_of("hvp", function, x);
  check_scalar("hvp", value);
  const std::vector<Tensor> gradients = grad_or_zeros(value, x, Tensor::ones(value.shape(), value.dtype()), true);
  const Tensor along = inner_product(gradients, v);
  return {settled(value, create_graph), grad_or_zeros(along, x, {}, create_graph)};
}

}  // namespace feral::autograd
