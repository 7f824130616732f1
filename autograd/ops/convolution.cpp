#include "autograd/ops/convolution.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

// Of one direction.
std::int64_t output_size(std::int64_t size, std::int64_t kernel, Conv2dGeometry geometry) {
  const std::int64_t room = size + 2 * geometry.padding - kernel;
  return room < 0 ? 0 : room / geometry.stride + 1;
}

void check_geometry(std::string_view op, Conv2dGeometry geometry) {
  constexpr std::int64_t most_padding = std::int64_t{1} << 30;  // so that no sum of sizes overflows
  if (geometry.stride < 1 || geometry.padding < 0 || geometry.padding > most_padding) {
    fail("{}: stride {} must be at least 1 and padding {} from 0 to {}", op, geometry.stride, geometry.padding,
         most_padding);
  }
}

Shape conv_shape(std::string_view op, const Shape& x, const Shape& weight, Conv2dGeometry geometry) {
  check_geometry(op, geometry);
  if (x[1] != weight[1]) {
    fail("{}: input {} has {} channels, weight {} expects {}", op, x.to_string(), x[1], weight.to_string(),
         weight[1]);
  }
  const std::int64_t height = output_size(x[2], weight[2], geometry);
  const std::int64_t width = output_size(x[3], weight[3], geometry);
  if (height < 1 || width < 1 || weight[1] < 1 || weight[2] < 1 || weight[3] < 1) {
    fail("{}: kernel {} does not fit into input {} with padding {}", op, weight.to_string(), x.to_string(),
         geometry.padding);
  }
  return {x[0], weight[0], height, width};
}

}  // namespace

Result Conv2d::infer(const Attributes& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating(name, x);
  check_same_dtype(name, x, weight);
  check_dims(name, "the input", x, 4);
  check_dims(name, "the weight", weight, 4);
  if (bias.defined()) {
    check_same_dtype(name, x, bias);
    if (!(bias.shape() == Shape{weight.shape()[0]}) || !bias.is_contiguous()) {
      fail("{}: bias {} does not fit weight {}", name, bias.shape().to_string(), weight.shape().to_string());
    }
  }
  return {conv_shape(name, x.shape(), weight.shape(), geometry), x.dtype(), x.device()};
}

void Conv2d::run(const Attributes& geometry, const Tensor& out, Aux<Conv2d>&, const Tensor& x, const Tensor& weight,
                 const Tensor& bias) {
  const NoGradGuard no_grad;
  kernels(out.device()).conv2d(out, x.contiguous(), weight.contiguous(), bias, geometry);
}

Gradients<3> Conv2d::gradient(const Saved<Conv2d>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const Tensor& weight = saved.input(1);
  Gradients<3> result;
  if (saved.needs(0)) {
    result[0] =
        apply<Conv2dInputGradient>({.geometry = saved.attributes(), .x_shape = x.shape()}, gradient, weight);
  }
  if (saved.needs(1)) {
    result[1] =
        apply<Conv2dWeightGradient>({.geometry = saved.attributes(), .weight_shape = weight.shape()}, x, gradient);
  }
  if (saved.needs(2)) result[2] = gradient.sum({0, 2, 3});
  return result;
}

Result Conv2dInputGradient::infer(const Attributes& attributes, const Tensor& gradient, const Tensor& weight) {
  check_floating(name, gradient);
  check_same_dtype(name, gradient, weight);
  const Shape expected = conv_shape(name, attributes.x_shape, weight.shape(), attributes.geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", name, gradient.shape().to_string(), expected.to_string());
  }
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void Conv2dInputGradient::run(const Attributes& attributes, const Tensor& out, Aux<Conv2dInputGradient>&,
                              const Tensor& gradient, const Tensor& weight) {
  const NoGradGuard no_grad;
  kernels(out.device()).conv2d_input_gradient(out, gradient.contiguous(), weight.contiguous(), attributes.geometry);
}

Gradients<2> Conv2dInputGradient::gradient(const Saved<Conv2dInputGradient>& saved, const Tensor& gradient) {
  const Conv2dGeometry geometry = saved.attributes().geometry;
  Gradients<2> result;
  if (saved.needs(0)) result[0] = conv2d(gradient, saved.input(1), {}, geometry);
  if (saved.needs(1)) {
    result[1] = apply<Conv2dWeightGradient>({.geometry = geometry, .weight_shape = saved.input_shape(1)}, gradient,
                                            saved.input(0));
  }
  return result;
}

Result Conv2dWeightGradient::infer(const Attributes& attributes, const Tensor& x, const Tensor& gradient) {
  check_floating(name, x);
  check_same_dtype(name, x, gradient);
  const Shape expected = conv_shape(name, x.shape(), attributes.weight_shape, attributes.geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", name, gradient.shape().to_string(), expected.to_string());
  }
  return {attributes.weight_shape, x.dtype(), x.device()};
}

void Conv2dWeightGradient::run(const Attributes& attributes, const Tensor& out, Aux<Conv2dWeightGradient>&,
                               const Tensor& x, const Tensor& gradient) {
  const NoGradGuard no_grad;
  kernels(out.device()).conv2d_weight_gradient(out, x.contiguous(), gradient.contiguous(), attributes.geometry);
}

Gradients<2> Conv2dWeightGradient::gradient(const Saved<Conv2dWeightGradient>& saved, const Tensor& gradient) {
  const Conv2dGeometry geometry = saved.attributes().geometry;
  Gradients<2> result;
  if (saved.needs(0)) {
    result[0] = apply<Conv2dInputGradient>({.geometry = geometry, .x_shape = saved.input_shape(0)}, saved.input(1),
                                           gradient);
  }
  if (saved.needs(1)) result[1] = conv2d(saved.input(0), gradient, {}, geometry);
  return result;
}

}  // namespace feral::ops

namespace feral {

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dGeometry geometry) {
  return apply<ops::Conv2d>(geometry, x, weight, bias);
}

}  // namespace feral
