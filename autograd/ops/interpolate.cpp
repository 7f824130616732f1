#include "autograd/ops/interpolate.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

constexpr std::int64_t most = std::int64_t{1} << 30;

Shape resized_shape(std::string_view op, const Shape& x, const InterpolateGeometry& geometry) {
  if (x.dims() < 3 || x.dims() > 5) {
    fail("{}: expected [n, c] and 1 to 3 spatial dimensions, got {}", op, x.to_string());
  }
  Shape out = {x[0], x[1]};
  for (int i = 0; i < x.dims() - 2; ++i) {
    if (x[2 + i] < 1 || x[2 + i] > most || geometry.out[i] < 1 || geometry.out[i] > most) {
      fail("{}: input {} to size {} in dimension {}; sizes must be 1 to {}", op, x.to_string(), geometry.out[i],
           2 + i, most);
    }
    out.push_back(geometry.out[i]);
  }
  if (geometry.align_corners && geometry.mode == InterpolateMode::nearest) {
    fail("{}: align_corners is for the linear mode, input {}", op, x.to_string());
  }
  return out;
}

}  // namespace

Result Interpolate::infer(const Attributes& geometry, const Tensor& x) {
  check_floating(name, x);
  return {resized_shape(name, x.shape(), geometry), x.dtype(), x.device()};
}

void Interpolate::run(const Attributes& geometry, const Tensor& out, Aux<Interpolate>&, const Tensor& x) {
  const NoGradGuard no_grad;
  kernels(out.device()).interpolate(out, x.contiguous(), geometry);
}

Gradients<1> Interpolate::gradient(const Saved<Interpolate>& saved, const Tensor& gradient) {
  return {apply<InterpolateBackward>({.geometry = saved.attributes(), .x_shape = saved.input_shape(0)}, gradient)};
}

Result InterpolateBackward::infer(const Attributes& attributes, const Tensor& gradient) {
  check_floating(name, gradient);
  const Shape expected = resized_shape(name, attributes.x_shape, attributes.geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", name, gradient.shape().to_string(), expected.to_string());
  }
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void InterpolateBackward::run(const Attributes& attributes, const Tensor& out, Aux<InterpolateBackward>&,
                              const Tensor& gradient) {
  const NoGradGuard no_grad;
  kernels(out.device()).interpolate_backward(out, gradient.contiguous(), attributes.geometry);
}

Gradients<1> InterpolateBackward::gradient(const Saved<InterpolateBackward>& saved, const Tensor& gradient) {
  return {apply<Interpolate>(saved.attributes().geometry, gradient)};
}

}  // namespace feral::ops

namespace feral {

ScaleFactors::ScaleFactors(std::initializer_list<double> each) : count(static_cast<int>(each.size())) {
  if (each.size() > values.size()) fail("interpolate: {} scale factors; at most {}", each.size(), values.size());
  std::copy(each.begin(), each.end(), values.begin());
}

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  constexpr std::string_view name = ops::Interpolate::name;
  ops::check_defined(name, x);
  if (is_half(x.dtype())) return interpolate(x.to(DType::float32), options).to(x.dtype());
  const int dims = x.dims() - 2;
  const bool by_size = options.size.dims() > 0;
  if (dims < 1 || dims > 3) {
    fail("{}: expected [n, c] and 1 to 3 spatial dimensions, got {}", name, x.shape().to_string());
  }
  if (by_size == (options.scale.count != 0)) fail("{}: give either a size or a scale for {}", name, x.to_string());
  if (by_size ? options.size.dims() != dims : options.scale.count > 0 && options.scale.count != dims) {
    fail("{}: {} numbers for the {} spatial dimensions of {}", name,
         by_size ? options.size.dims() : options.scale.count, dims, x.shape().to_string());
  }
  InterpolateGeometry geometry = {.mode = options.mode, .align_corners = options.align_corners};
  for (int i = 0; i < dims; ++i) {
    if (by_size) {
      geometry.out[i] = options.size[i];
      continue;
    }
    const double scale = options.scale.values[static_cast<std::size_t>(i)];
    const double size = std::floor(static_cast<double>(x.shape()[2 + i]) * scale);
    if (!(scale > 0 && size >= 1 && size <= static_cast<double>(ops::most))) {
      fail("{}: scale {} of input {} must leave sizes of 1 to {}", name, scale, x.shape().to_string(), ops::most);
    }
    geometry.out[i] = static_cast<std::int64_t>(size);
    geometry.scale[static_cast<std::size_t>(i)] = scale;
  }
  return apply<ops::Interpolate>(geometry, x);
}

}  // namespace feral
