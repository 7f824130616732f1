#include "autograd/ops/pooling.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

Shape pooled_shape(std::string_view op, const Shape& x, Pool2dGeometry geometry) {
  if (geometry.kernel < 1 || geometry.kernel > 16 || geometry.stride < 1) {
    fail("{}: kernel {} must be 1 to 16 and stride {} at least 1", op, geometry.kernel, geometry.stride);
  }
  if (x[2] < geometry.kernel || x[3] < geometry.kernel) {
    fail("{}: kernel {} does not fit into input {}", op, geometry.kernel, x.to_string());
  }
  return {x[0], x[1], (x[2] - geometry.kernel) / geometry.stride + 1,
          (x[3] - geometry.kernel) / geometry.stride + 1};
}

void check_window(std::string_view op, const Tensor& window, const Shape& expected) {
  if (!window.defined() || window.dtype() != DType::uint8 || !(window.shape() == expected) ||
      !window.is_contiguous()) {
    fail("{}: the window must be contiguous uint8 {}, got {}", op, expected.to_string(), window.to_string());
  }
}

}  // namespace

Result MaxPool2d::infer(const Attributes& geometry, const Tensor& x) {
  check_floating(name, x);
  check_dims(name, "the input", x, 4);
  return {pooled_shape(name, x.shape(), geometry), x.dtype(), x.device()};
}

void MaxPool2d::run(const Attributes& geometry, const Tensor& out, Aux<MaxPool2d>& aux, const Tensor& x) {
  if (aux.wanted) aux[0] = Tensor::empty(out.shape(), DType::uint8);
  const NoGradGuard no_grad;
  kernels(out.device()).max_pool2d(out, aux[0], x.contiguous(), geometry);
}

Gradients<1> MaxPool2d::gradient(const Saved<MaxPool2d>& saved, const Tensor& gradient) {
  return {apply<MaxPool2dScatter>({.geometry = saved.attributes(), .x_shape = saved.input_shape(0)}, gradient,
                                  saved.aux(0))};
}

Result MaxPool2dScatter::infer(const Attributes& attributes, const Tensor& gradient, const Tensor& window) {
  check_floating(name, gradient);
  const Shape expected = pooled_shape(name, attributes.x_shape, attributes.geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", name, gradient.shape().to_string(), expected.to_string());
  }
  check_window(name, window, expected);
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void MaxPool2dScatter::run(const Attributes& attributes, const Tensor& out, Aux<MaxPool2dScatter>&,
                           const Tensor& gradient, const Tensor& window) {
  const NoGradGuard no_grad;
  kernels(out.device()).max_pool2d_scatter(out, gradient.contiguous(), window, attributes.geometry);
}

Gradients<2> MaxPool2dScatter::gradient(const Saved<MaxPool2dScatter>& saved, const Tensor& gradient) {
  return {apply<MaxPool2dGather>(saved.attributes().geometry, gradient, saved.input(1)), Tensor()};
}

Result MaxPool2dGather::infer(const Attributes& geometry, const Tensor& x, const Tensor& window) {
  check_floating(name, x);
  check_dims(name, "the input", x, 4);
  const Shape expected = pooled_shape(name, x.shape(), geometry);
  check_window(name, window, expected);
  return {expected, x.dtype(), x.device()};
}

void MaxPool2dGather::run(const Attributes& geometry, const Tensor& out, Aux<MaxPool2dGather>&, const Tensor& x,
                          const Tensor& window) {
  const NoGradGuard no_grad;
  kernels(out.device()).max_pool2d_gather(out, x.contiguous(), window, geometry);
}

Gradients<2> MaxPool2dGather::gradient(const Saved<MaxPool2dGather>& saved, const Tensor& gradient) {
  return {apply<MaxPool2dScatter>({.geometry = saved.attributes(), .x_shape = saved.input_shape(0)}, gradient,
                                  saved.input(1)),
          Tensor()};
}

}  // namespace feral::ops
