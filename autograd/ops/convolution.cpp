#include "autograd/ops/convolution.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

// So that no product or sum of sizes overflows.
constexpr std::int64_t most = std::int64_t{1} << 30;

void check_geometry(std::string_view op, const ConvGeometry& geometry, int dims) {
  for (int i = 0; i < dims; ++i) {
    const auto [stride, padding, dilation] =
        std::array{geometry.stride[i], geometry.padding[i], geometry.dilation[i]};
    if (stride < 1 || stride > most || padding < 0 || padding > most || dilation < 1 || dilation > most) {
      fail("{}: stride {} and dilation {} must be 1 to {}, and padding {} 0 to {}", op, stride, dilation, most,
           padding, most);
    }
  }
  if (geometry.groups < 1) fail("{}: groups {} must be at least 1", op, geometry.groups);
}

// How far a kernel of `taps` reaches; more than any image when the sizes are absurd.
std::int64_t reach(std::int64_t taps, std::int64_t dilation) {
  return taps > most ? std::int64_t{1} << 62 : (taps - 1) * dilation + 1;
}

void check_sizes(std::string_view op, const Shape& shape) {
  for (int i = 2; i < shape.dims(); ++i) {
    if (shape[i] > std::int64_t{1} << 60) fail("{}: {} is too large", op, shape.to_string());
  }
}

Shape conv_shape(std::string_view op, const Shape& x, const Shape& weight, const ConvGeometry& geometry) {
  check_geometry(op, geometry, x.dims() - 2);
  check_sizes(op, x);
  const std::int64_t groups = geometry.groups;
  if (weight[1] > most || groups > most || x[1] != weight[1] * groups) {
    fail("{}: input {} has {} channels, weight {} with {} groups expects {} each", op, x.to_string(), x[1],
         weight.to_string(), groups, weight[1]);
  }
  if (weight[0] % groups != 0) {
    fail("{}: the {} filters of weight {} do not fall into {} groups", op, weight[0], weight.to_string(), groups);
  }
  Shape out = {x[0], weight[0]};
  bool fits = weight[1] >= 1;
  for (int i = 0; i < x.dims() - 2; ++i) {
    const std::int64_t kernel = weight[2 + i];
    const std::int64_t room = x[2 + i] + 2 * geometry.padding[i] - reach(kernel, geometry.dilation[i]);
    fits = fits && kernel >= 1 && room >= 0;
    out.push_back(room < 0 ? 0 : room / geometry.stride[i] + 1);
  }
  if (!fits) {
    std::string padding;
    for (int i = 0; i < x.dims() - 2; ++i) padding += fmt::format("{}{}", i == 0 ? "" : ", ", geometry.padding[i]);
    fail("{}: kernel {} does not fit into input {} with padding {}", op, weight.to_string(), x.to_string(),
         padding);
  }
  return out;
}

void check_operands(std::string_view op, const Tensor& x, const Tensor& weight) {
  check_floating(op, x);
  check_same_dtype(op, x, weight);
  if (x.dims() < 3 || x.dims() > 5) {
    fail("{}: expected [n, c] and 1 to 3 spatial dimensions, got {}", op, x.shape().to_string());
  }
  check_dims(op, "the weight", weight, x.dims());
}

void check_bias(std::string_view op, const Tensor& x, const Tensor& bias, const Shape& weight,
                std::int64_t filters) {
  if (!bias.defined()) return;
  check_same_dtype(op, x, bias);
  if (!(bias.shape() == Shape{filters})) {
    fail("{}: bias {} does not fit weight {}", op, bias.shape().to_string(), weight.to_string());
  }
}

Result conv_result(std::string_view op, const ConvGeometry& geometry, const Tensor& x, const Tensor& weight,
                   const Tensor& bias) {
  check_operands(op, x, weight);
  check_bias(op, x, bias, weight.shape(), weight.shape()[0]);
  return {conv_shape(op, x.shape(), weight.shape(), geometry), x.dtype(), x.device()};
}

// For the two gradients: `gradient` must be of the output's shape.
void check_gradient(std::string_view op, const Tensor& gradient, const Shape& x, const Shape& weight,
                    const ConvGeometry& geometry) {
  check_dims(op, "the gradient", gradient, x.dims());
  const Shape expected = conv_shape(op, x, weight, geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", op, gradient.shape().to_string(), expected.to_string());
  }
}

}  // namespace

Result Convolution::infer(const Attributes& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return conv_result(name, geometry, x, weight, bias);
}

void Convolution::run(const Attributes& geometry, const Tensor& out, Aux<Convolution>&, const Tensor& x,
                      const Tensor& weight, const Tensor& bias) {
  const NoGradGuard no_grad;
  kernels(out.device())
      .convolution(out, x.contiguous(), weight.contiguous(), bias.defined() ? bias.contiguous() : bias, geometry);
}

Gradients<3> Convolution::gradient(const Saved<Convolution>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const Tensor& weight = saved.input(1);
  Gradients<3> result;
  if (saved.needs(0)) {
    result[0] =
        apply<ConvolutionInputGradient>({.geometry = saved.attributes(), .x_shape = x.shape()}, gradient, weight);
  }
  if (saved.needs(1)) {
    result[1] = apply<ConvolutionWeightGradient>({.geometry = saved.attributes(), .weight_shape = weight.shape()},
                                                 x, gradient);
  }
  if (saved.needs(2)) {
    Dims all_but_channels = {0};
    for (int i = 2; i < gradient.dims(); ++i) all_but_channels.push_back(i);
    result[2] = gradient.sum(all_but_channels);
  }
  return result;
}

Result ConvolutionInputGradient::infer(const Attributes& attributes, const Tensor& gradient, const Tensor& weight) {
  check_operands(name, gradient, weight);
  check_gradient(name, gradient, attributes.x_shape, weight.shape(), attributes.geometry);
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void ConvolutionInputGradient::run(const Attributes& attributes, const Tensor& out, Aux<ConvolutionInputGradient>&,
                                   const Tensor& gradient, const Tensor& weight) {
  const NoGradGuard no_grad;
  kernels(out.device())
      .convolution_input_gradient(out, gradient.contiguous(), weight.contiguous(), attributes.geometry);
}

Gradients<2> ConvolutionInputGradient::gradient(const Saved<ConvolutionInputGradient>& saved,
                                                const Tensor& gradient) {
  const ConvGeometry& geometry = saved.attributes().geometry;
  Gradients<2> result;
  if (saved.needs(0)) result[0] = apply<Convolution>(geometry, gradient, saved.input(1), Tensor());
  if (saved.needs(1)) {
    result[1] = apply<ConvolutionWeightGradient>({.geometry = geometry, .weight_shape = saved.input_shape(1)},
                                                 gradient, saved.input(0));
  }
  return result;
}

Result ConvolutionWeightGradient::infer(const Attributes& attributes, const Tensor& x, const Tensor& gradient) {
  check_operands(name, x, gradient);
  check_gradient(name, gradient, x.shape(), attributes.weight_shape, attributes.geometry);
  return {attributes.weight_shape, x.dtype(), x.device()};
}

void ConvolutionWeightGradient::run(const Attributes& attributes, const Tensor& out,
                                    Aux<ConvolutionWeightGradient>&, const Tensor& x, const Tensor& gradient) {
  const NoGradGuard no_grad;
  kernels(out.device())
      .convolution_weight_gradient(out, x.contiguous(), gradient.contiguous(), attributes.geometry);
}

Gradients<2> ConvolutionWeightGradient::gradient(const Saved<ConvolutionWeightGradient>& saved,
                                                 const Tensor& gradient) {
  const ConvGeometry& geometry = saved.attributes().geometry;
  Gradients<2> result;
  if (saved.needs(0)) {
    result[0] = apply<ConvolutionInputGradient>({.geometry = geometry, .x_shape = saved.input_shape(0)},
                                                saved.input(1), gradient);
  }
  if (saved.needs(1)) result[1] = apply<Convolution>(geometry, saved.input(0), gradient, Tensor());
  return result;
}

namespace {

// For 16-bit floats: function(x, weight, bias) in float32, and back.
template <class Function>
Tensor through_float32(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Function& function) {
  check_defined(op, x);
  if (!is_half(x.dtype())) return function(x, weight, bias);
  check_same_dtype(op, x, weight);
  if (bias.defined()) check_same_dtype(op, x, bias);
  constexpr DType wide = DType::float32;
  return function(x.to(wide), weight.to(wide), bias.defined() ? bias.to(wide) : bias).to(x.dtype());
}

template <int dims>
Tensor conv(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias,
            const ConvOptions<dims>& options) {
  return through_float32(op, x, weight, bias, [&](const Tensor& a, const Tensor& w, const Tensor& b) {
    const ConvGeometry geometry = {.stride = options.stride.template widened<3>(1),
                                   .padding = options.padding.template widened<3>(0),
                                   .dilation = options.dilation.template widened<3>(1),
                                   .groups = options.groups};
    check_dims(op, "the input", a, dims + 2);
    conv_result(op, geometry, a, w, b);  // for a message under the name that was called
    return apply<Convolution>(geometry, a, w, b);
  });
}

template <int dims>
Tensor conv_transpose(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const ConvTransposeOptions<dims>& options) {
  return through_float32(op, x, weight, bias, [&](const Tensor& a, const Tensor& w, const Tensor& b) {
    const ConvGeometry geometry = {.stride = options.stride.template widened<3>(1),
                                   .padding = options.padding.template widened<3>(0),
                                   .dilation = options.dilation.template widened<3>(1),
                                   .groups = options.groups};
    check_floating(op, a);
    check_same_dtype(op, a, w);
    check_dims(op, "the input", a, dims + 2);
    check_dims(op, "the weight", w, dims + 2);
    check_geometry(op, geometry, dims);
    const Shape& in = a.shape();
    const Shape& ws = w.shape();
    if (in[1] != ws[0] || in[1] % options.groups != 0 || in[1] < 1 || ws[1] > most || options.groups > most) {
      fail("{}: input {} has {} channels in {} groups, weight {} expects {}", op, in.to_string(), in[1],
           options.groups, ws.to_string(), ws[0]);
    }
    Shape out = {in[0], ws[1] * options.groups};
    check_bias(op, a, b, ws, out[1]);
    for (int i = 0; i < dims; ++i) {
      const std::int64_t extra = options.output_padding[i];
      if (extra < 0 || extra >= options.stride[i]) {
        fail("{}: output_padding {} must be 0 to below the stride {}", op, extra, options.stride[i]);
      }
      if (in[2 + i] > most || in[2 + i] < 1 || ws[2 + i] < 1 || ws[2 + i] > most) {
        fail("{}: input {} and weight {} must have sizes of 1 to {}", op, in.to_string(), ws.to_string(), most);
      }
      out.push_back((in[2 + i] - 1) * options.stride[i] - 2 * options.padding[i] +
                    reach(ws[2 + i], options.dilation[i]) + extra);
      if (out[2 + i] < 1) {
        fail("{}: input {} and weight {} with padding {} leave a size of {}", op, in.to_string(), ws.to_string(),
             options.padding[i], out[2 + i]);
      }
    }
    if (ws[1] < 1) fail("{}: weight {} has no filters", op, ws.to_string());
    const Tensor result = apply<ConvolutionInputGradient>({.geometry = geometry, .x_shape = out}, a, w);
    if (!b.defined()) return result;
    Shape along_channels = {out[1]};
    for (int i = 0; i < dims; ++i) along_channels.push_back(1);
    return result.add(b.reshape(along_channels));
  });
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, ConvOptions<1> options) {
  return ops::conv("conv1d", x, weight, bias, options);
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, ConvOptions<2> options) {
  return ops::conv("conv2d", x, weight, bias, options);
}
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, ConvOptions<3> options) {
  return ops::conv("conv3d", x, weight, bias, options);
}
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        ConvTransposeOptions<1> options) {
  return ops::conv_transpose("conv_transpose1d", x, weight, bias, options);
}
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        ConvTransposeOptions<2> options) {
  return ops::conv_transpose("conv_transpose2d", x, weight, bias, options);
}
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        ConvTransposeOptions<3> options) {
  return ops::conv_transpose("conv_transpose3d", x, weight, bias, options);
}

}  // namespace feral
