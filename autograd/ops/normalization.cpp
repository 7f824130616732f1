#include "autograd/ops/normalization.hpp"

#include <limits>

#include "autograd/ops/check.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

void check_eps(std::string_view op, double eps) {
  if (!(eps >= 0)) fail("{}: eps {} must not be negative", op, eps);
}

// A weight or bias, if there is one, must be of x's type and of `shape`.
void check_parameter(std::string_view op, std::string_view what, const Tensor& x, const Tensor& parameter,
                     const Shape& shape) {
  if (!parameter.defined()) return;
  check_same_dtype(op, x, parameter);
  if (!(parameter.shape() == shape)) {
    fail("{}: {} of shape {} does not fit input {}, expected {}", op, what, parameter.shape().to_string(),
         x.shape().to_string(), shape.to_string());
  }
}

Tensor contiguous_or_none(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

// --- rows

RowNormGeometry row_geometry(const LayerNorm::Attributes& attributes, const Shape& x, bool centered) {
  const std::int64_t columns = attributes.normalized.numel();
  RowNormGeometry geometry;
  geometry.rows = columns == 0 ? 0 : x.numel() / columns;
  geometry.channels = columns;
  geometry.eps = attributes.eps;
  geometry.centered = centered;
  return geometry;
}

RowNormGeometry row_geometry(const GroupNorm::Attributes& attributes, const Shape& x) {
  RowNormGeometry geometry;
  geometry.groups = attributes.groups;
  geometry.channels = x[1] / attributes.groups;
  for (int i = 2; i < x.dims(); ++i) geometry.inner *= x[i];
  geometry.rows = x.numel() == 0 ? 0 : x[0] * attributes.groups;
  geometry.eps = attributes.eps;
  return geometry;
}

Result layer_result(std::string_view op, const LayerNorm::Attributes& attributes, const Tensor& x) {
  check_floating(op, x);
  check_eps(op, attributes.eps);
  const Shape& tail = attributes.normalized;
  bool fits = tail.dims() >= 1 && tail.dims() <= x.dims();
  for (int i = 0; fits && i < tail.dims(); ++i) fits = x.shape()[x.dims() - tail.dims() + i] == tail[i];
  if (!fits) {
    fail("{}: input {} does not end in the normalized shape {}", op, x.shape().to_string(), tail.to_string());
  }
  return {x.shape(), x.dtype(), x.device()};
}

template <class Op>
void run_rows(const RowNormGeometry& geometry, const Tensor& out, Aux<Op>& aux, const Tensor& x,
              const Tensor& weight, const Tensor& bias) {
  const NoGradGuard no_grad;
  if (aux.wanted) aux[0] = Tensor::empty({geometry.rows, 2}, x.dtype());
  kernels(out.device())
      .row_norm(out, aux.tensors[0], x.contiguous(), contiguous_or_none(weight), contiguous_or_none(bias),
                geometry);
}

// Which gradients are wanted, and then they themselves.
struct NormGradients {
  bool wanted[3] = {};
  Tensor x, weight, bias;
};

void make_room(NormGradients& gradients, const Tensor& x, const Shape& parameters) {
  if (gradients.wanted[0]) gradients.x = Tensor::empty(x.shape(), x.dtype());
  if (gradients.wanted[1]) gradients.weight = Tensor::empty(parameters, x.dtype());
  if (gradients.wanted[2]) gradients.bias = Tensor::empty(parameters, x.dtype());
}

// What ordinary ops make of a normalization: `work` is x's shape with the reduced dimensions `over`, and weight and
// bias broadcast to it when they are of shape `affine`.
struct Composition {
  Shape work;
  Dims over;
  Shape affine;
  double eps = 0;
  bool centered = true;
  Tensor moments;  // [2, c] when they are constants
};

void compose(NormGradients& gradients, const Composition& c, const Tensor& x, const Tensor& weight,
             const Shape& parameters, const Tensor& gradient) {
  const Tensor g = gradient.reshape(c.work);
  const Tensor wide = x.reshape(c.work);
  Tensor distance = wide;
  Tensor variance;
  if (c.moments.defined()) {
    distance = wide - c.moments.select(0, 0).reshape(c.affine);
    variance = c.moments.select(0, 1).reshape(c.affine);
  } else {
    if (c.centered) distance = wide - wide.mean(c.over, true);
    variance = distance.square().mean(c.over, true);
  }
  const Tensor scale = variance.affine(1, c.eps).rsqrt();
  const Tensor normal = distance * scale;
  if (gradients.wanted[0]) {
    const Tensor own = weight.defined() ? g * weight.reshape(c.affine) : g;
    Tensor rest = own;
    if (!c.moments.defined()) {
      rest = rest - normal * (own * normal).mean(c.over, true);
      if (c.centered) rest = rest - own.mean(c.over, true);
    }
    gradients.x = (rest * scale).reshape(x.shape());
  }
  if (gradients.wanted[1]) gradients.weight = (g * normal).sum_to(c.affine).reshape(parameters);
  if (gradients.wanted[2]) gradients.bias = g.sum_to(c.affine).reshape(parameters);
}

Composition composition_of(const RowNormGeometry& geometry) {
  return {.work = {geometry.rows / geometry.groups, geometry.groups, geometry.channels, geometry.inner},
          .over = {2, 3},
          .affine = {geometry.groups, geometry.channels, 1},
          .eps = geometry.eps,
          .centered = geometry.centered,
          .moments = {}};
}

template <class Op>
void row_gradients(NormGradients& gradients, const Saved<Op>& saved, const RowNormGeometry& geometry,
                   const Shape& parameters, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  for (int i = 0; i < Op::arity; ++i) gradients.wanted[i] = saved.needs(i);
  if (GradMode::enabled() && x.numel() != 0) {
    compose(gradients, composition_of(geometry), x, saved.input(1), parameters, gradient);
    return;
  }
  make_room(gradients, x, parameters);
  kernels(x.device())
      .row_norm_backward(gradients.x, gradients.weight, gradients.bias, gradient.contiguous(), x.contiguous(),
                         saved.aux(0), contiguous_or_none(saved.input(1)), geometry);
}

}  // namespace

Result LayerNorm::infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Result result = layer_result(name, attributes, x);
  check_parameter(name, "a weight", x, weight, attributes.normalized);
  check_parameter(name, "a bias", x, bias, attributes.normalized);
  return result;
}

void LayerNorm::run(const Attributes& attributes, const Tensor& out, Aux<LayerNorm>& stats, const Tensor& x,
                    const Tensor& weight, const Tensor& bias) {
  run_rows(row_geometry(attributes, x.shape(), true), out, stats, x, weight, bias);
}

Gradients<3> LayerNorm::gradient(const Saved<LayerNorm>& saved, const Tensor& gradient) {
  const Attributes& attributes = saved.attributes();
  NormGradients gradients;
  row_gradients(gradients, saved, row_geometry(attributes, saved.input(0).shape(), true), attributes.normalized,
                gradient);
  return {gradients.x, gradients.weight, gradients.bias};
}

Result RmsNorm::infer(const Attributes& attributes, const Tensor& x, const Tensor& weight) {
  const Result result = layer_result(name, attributes, x);
  check_parameter(name, "a weight", x, weight, attributes.normalized);
  return result;
}

void RmsNorm::run(const Attributes& attributes, const Tensor& out, Aux<RmsNorm>& stats, const Tensor& x,
                  const Tensor& weight) {
  run_rows(row_geometry(attributes, x.shape(), false), out, stats, x, weight, Tensor());
}

Gradients<2> RmsNorm::gradient(const Saved<RmsNorm>& saved, const Tensor& gradient) {
  const Attributes& attributes = saved.attributes();
  NormGradients gradients;
  row_gradients(gradients, saved, row_geometry(attributes, saved.input(0).shape(), false), attributes.normalized,
                gradient);
  return {gradients.x, gradients.weight};
}

Result GroupNorm::infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating(name, x);
  check_eps(name, attributes.eps);
  if (x.dims() < 2) fail("{}: expected [n, c, ...], got {}", name, x.shape().to_string());
  const std::int64_t channels = x.shape()[1];
  if (attributes.groups < 1 || channels % attributes.groups != 0) {
    fail("{}: the {} channels of input {} do not fall into {} groups", name, channels, x.shape().to_string(),
         attributes.groups);
  }
  check_parameter(name, "a weight", x, weight, {channels});
  check_parameter(name, "a bias", x, bias, {channels});
  return {x.shape(), x.dtype(), x.device()};
}

void GroupNorm::run(const Attributes& attributes, const Tensor& out, Aux<GroupNorm>& stats, const Tensor& x,
                    const Tensor& weight, const Tensor& bias) {
  run_rows(row_geometry(attributes, x.shape()), out, stats, x, weight, bias);
}

Gradients<3> GroupNorm::gradient(const Saved<GroupNorm>& saved, const Tensor& gradient) {
  const Shape& x = saved.input(0).shape();
  NormGradients gradients;
  row_gradients(gradients, saved, row_geometry(saved.attributes(), x), {x[1]}, gradient);
  return {gradients.x, gradients.weight, gradients.bias};
}

// --- channels

namespace {

void check_batch(std::string_view op, const Tensor& x) {
  check_floating(op, x);
  if (x.dims() < 2) fail("{}: expected [n, c, ...], got {}", op, x.shape().to_string());
}

}  // namespace

Result BatchMoments::infer(const Attributes&, const Tensor& x) {
  check_batch(name, x);
  if (x.numel() == 0) fail("{}: no elements in input {}", name, x.shape().to_string());
  return {{2, x.shape()[1]}, x.dtype(), x.device()};
}

void BatchMoments::run(const Attributes&, const Tensor& out, Aux<BatchMoments>&, const Tensor& x) {
  const NoGradGuard no_grad;
  kernels(out.device()).batch_moments(out, x.contiguous());
}

Result BatchNorm::infer(const Attributes& attributes, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& moments) {
  check_batch(name, x);
  check_eps(name, attributes.eps);
  const std::int64_t channels = x.shape()[1];
  check_parameter(name, "a weight", x, weight, {channels});
  check_parameter(name, "a bias", x, bias, {channels});
  check_defined(name, moments);
  check_parameter(name, "moments", x, moments, {2, channels});
  return {x.shape(), x.dtype(), x.device()};
}

void BatchNorm::run(const Attributes& attributes, const Tensor& out, Aux<BatchNorm>&, const Tensor& x,
                    const Tensor& weight, const Tensor& bias, const Tensor& moments) {
  const NoGradGuard no_grad;
  kernels(out.device())
      .batch_norm(out, x.contiguous(), moments.contiguous(), contiguous_or_none(weight), contiguous_or_none(bias),
                  attributes.eps);
}

Gradients<4> BatchNorm::gradient(const Saved<BatchNorm>& saved, const Tensor& gradient) {
  const Tensor& x = saved.input(0);
  const Attributes& attributes = saved.attributes();
  const Shape channels = {x.shape()[1]};
  NormGradients gradients;
  for (int i = 0; i < 3; ++i) gradients.wanted[i] = saved.needs(i);
  if (GradMode::enabled() && x.numel() != 0) {
    const std::int64_t inner = x.numel() / (x.shape()[0] * channels[0]);
    const Composition composition{.work = {x.shape()[0], channels[0], inner},
                                  .over = {0, 2},
                                  .affine = {channels[0], 1},
                                  .eps = attributes.eps,
                                  .centered = true,
                                  .moments = attributes.constant_moments ? saved.input(3) : Tensor()};
    compose(gradients, composition, x, saved.input(1), channels, gradient);
  } else {
    make_room(gradients, x, channels);
    kernels(x.device())
        .batch_norm_backward(gradients.x, gradients.weight, gradients.bias, gradient.contiguous(), x.contiguous(),
                             saved.input(3).contiguous(), contiguous_or_none(saved.input(1)), attributes.eps,
                             attributes.constant_moments);
  }
  return {gradients.x, gradients.weight, gradients.bias, Tensor()};
}

namespace {

// function(x, weight, bias) in float32 when x has 16-bit floats, and back.
template <class Function>
Tensor through_float32(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Function& function) {
  check_defined(op, x);
  if (!is_half(x.dtype())) return function(x, weight, bias);
  const auto wide = [&](const Tensor& parameter) {
    if (!parameter.defined()) return parameter;
    check_same_dtype(op, x, parameter);
    return parameter.to(DType::float32);
  };
  return function(wide(x), wide(weight), wide(bias)).to(x.dtype());
}

double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return std::numeric_limits<double>::epsilon();
    case DType::float16:
      return 0x1.0p-10;
    case DType::bfloat16:
      return 0x1.0p-7;
    default:
      return static_cast<double>(std::numeric_limits<float>::epsilon());
  }
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  return ops::through_float32("layer_norm", x, weight, bias,
                              [&](const Tensor& a, const Tensor& w, const Tensor& b) {
                                return apply<ops::LayerNorm>({.normalized = normalized_shape, .eps = eps}, a, w, b);
                              });
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, std::optional<double> eps) {
  return ops::through_float32("rms_norm", x, weight, {}, [&](const Tensor& a, const Tensor& w, const Tensor&) {
    return apply<ops::RmsNorm>({.normalized = normalized_shape, .eps = eps.value_or(ops::epsilon_of(x.dtype()))}, a,
                               w);
  });
}

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  return ops::through_float32("group_norm", x, weight, bias,
                              [&](const Tensor& a, const Tensor& w, const Tensor& b) {
                                return apply<ops::GroupNorm>({.groups = groups, .eps = eps}, a, w, b);
                              });
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  ops::check_defined("instance_norm", x);
  if (x.dims() < 3) fail("instance_norm: expected [n, c, ...] and a dimension more, got {}", x.shape().to_string());
  return group_norm(x, x.shape()[1], weight, bias, eps);
}

Tensor batch_moments(const Tensor& x) { return apply<ops::BatchMoments>({}, x); }

Tensor batch_norm(const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias, double eps) {
  return apply<ops::BatchNorm>({.eps = eps, .constant_moments = false}, x, weight, bias, moments);
}

Tensor batch_norm_by(const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias, double eps) {
  return apply<ops::BatchNorm>({.eps = eps, .constant_moments = true}, x, weight, bias, moments);
}

}  // namespace feral
