#include "autograd/ops/pooling.hpp"

#include "autograd/ops/check.hpp"

namespace feral::ops {
namespace {

// So that no product or sum of sizes overflows.
constexpr std::int64_t most = std::int64_t{1} << 30;

// Of windows over `in` elements of one dimension, as in PyTorch.
std::int64_t window_count(const PoolGeometry& geometry, int dim, std::int64_t in, std::int64_t reach) {
  const std::int64_t stride = geometry.stride[dim];
  const std::int64_t room = in + 2 * geometry.padding[dim] - reach;
  const std::int64_t last = geometry.ceil_mode ? room + stride - 1 : room;
  if (last < 0) return 0;
  std::int64_t count = last / stride + 1;
  // A window that would start in the padding at the far side is left out.
  if (geometry.ceil_mode && (count - 1) * stride >= in + geometry.padding[dim]) --count;
  return count;
}

// With dilation, all elements of a window may lie in the padding.
bool has_elements(const PoolGeometry& geometry, int dim, std::int64_t in, std::int64_t count, std::int64_t reach) {
  const std::int64_t step = geometry.dilation[dim];
  for (std::int64_t o = 0; o < count; ++o) {
    std::int64_t first = o * geometry.stride[dim] - geometry.padding[dim];
    if (first >= 0) break;
    const std::int64_t end = first + reach;
    first += (-first + step - 1) / step * step;
    if (first >= in || first >= end) return false;
  }
  return true;
}

Shape pooled_shape(std::string_view op, const Shape& x, const PoolGeometry& geometry) {
  if (x.dims() < 3 || x.dims() > 5) {
    fail("{}: expected [n, c] and 1 to 3 spatial dimensions, got {}", op, x.to_string());
  }
  Shape out = {x[0], x[1]};
  for (int i = 0; i < x.dims() - 2; ++i) {
    const std::int64_t in = x[2 + i];
    if (in < 1 || in > most) fail("{}: input {} must have spatial sizes of 1 to {}", op, x.to_string(), most);
    if (geometry.adaptive) {
      if (geometry.out[i] < 0 || geometry.out[i] > most) {
        fail("{}: a result of size {} from input {}", op, geometry.out[i], x.to_string());
      }
      out.push_back(geometry.out[i]);
      continue;
    }
    const auto [kernel, stride, padding, dilation] =
        std::array{geometry.kernel[i], geometry.stride[i], geometry.padding[i], geometry.dilation[i]};
    if (kernel < 1 || kernel > most || stride < 1 || stride > most || dilation < 1 || dilation > most) {
      fail("{}: kernel {}, stride {} and dilation {} must be 1 to {}", op, kernel, stride, dilation, most);
    }
    const std::int64_t reach = (kernel - 1) * dilation + 1;
    if (padding < 0 || padding > reach / 2) {
      fail("{}: padding {} must be 0 to half of the window, of kernel {} and dilation {}", op, padding, kernel,
           dilation);
    }
    const std::int64_t count = window_count(geometry, i, in, reach);
    if (count < 1 || !has_elements(geometry, i, in, count, reach)) {
      fail("{}: kernel {} with padding {} and dilation {} does not fit into input {}", op, kernel, padding,
           dilation, x.to_string());
    }
    out.push_back(count);
  }
  return out;
}

Result pool_result(std::string_view op, const PoolGeometry& geometry, const Tensor& x) {
  check_floating(op, x);
  return {pooled_shape(op, x.shape(), geometry), x.dtype(), x.device()};
}

void check_indices(std::string_view op, const Tensor& indices, const Shape& x, const Shape& out) {
  check_defined(op, indices);
  bool fits = x.dims() >= 3 && x.dims() == out.dims() && x[0] == out[0] && x[1] == out[1];
  std::int64_t plane = 1;
  for (int i = 2; i < x.dims(); ++i) plane *= x[i];
  if (!fits || indices.dtype() != DType::int64 || !(indices.shape() == out) || !indices.is_contiguous()) {
    fail("{}: indices {} into {} for {}; they must be contiguous int64", op, indices.to_string(), x.to_string(),
         out.to_string());
  }
  const auto* values = indices.data<std::int64_t>();
  for (std::int64_t i = 0; i < indices.numel(); ++i) {
    if (values[i] < 0 || values[i] >= plane) {
      fail("{}: index {} at position {} of a plane of {}", op, values[i], i, x.to_string());
    }
  }
}

}  // namespace

Result MaxPoolIndices::infer(const Attributes& geometry, const Tensor& x) {
  Result result = pool_result(name, geometry, x);
  result.dtype = DType::int64;
  return result;
}

void MaxPoolIndices::run(const Attributes& geometry, const Tensor& out, Aux<MaxPoolIndices>&, const Tensor& x) {
  const NoGradGuard no_grad;
  kernels(out.device()).max_pool_indices(out, x.contiguous(), geometry);
}

Result PoolGather::infer(const Attributes&, const Tensor& x, const Tensor& indices) {
  check_floating(name, x);
  check_defined(name, indices);
  check_indices(name, indices, x.shape(), indices.shape());
  return {indices.shape(), x.dtype(), x.device()};
}

void PoolGather::run(const Attributes&, const Tensor& out, Aux<PoolGather>&, const Tensor& x,
                     const Tensor& indices) {
  const NoGradGuard no_grad;
  kernels(out.device()).pool_gather(out, x.contiguous(), indices);
}

Gradients<2> PoolGather::gradient(const Saved<PoolGather>& saved, const Tensor& gradient) {
  return {apply<PoolScatter>({.x_shape = saved.input_shape(0)}, gradient, saved.input(1)), Tensor()};
}

Result PoolScatter::infer(const Attributes& attributes, const Tensor& gradient, const Tensor& indices) {
  check_floating(name, gradient);
  check_indices(name, indices, attributes.x_shape, gradient.shape());
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void PoolScatter::run(const Attributes&, const Tensor& out, Aux<PoolScatter>&, const Tensor& gradient,
                      const Tensor& indices) {
  const NoGradGuard no_grad;
  kernels(out.device()).pool_scatter(out, gradient.contiguous(), indices);
}

Gradients<2> PoolScatter::gradient(const Saved<PoolScatter>& saved, const Tensor& gradient) {
  return {apply<PoolGather>({}, gradient, saved.input(1)), Tensor()};
}

Result AvgPool::infer(const Attributes& geometry, const Tensor& x) { return pool_result(name, geometry, x); }

void AvgPool::run(const Attributes& geometry, const Tensor& out, Aux<AvgPool>&, const Tensor& x) {
  const NoGradGuard no_grad;
  kernels(out.device()).avg_pool(out, x.contiguous(), geometry);
}

Gradients<1> AvgPool::gradient(const Saved<AvgPool>& saved, const Tensor& gradient) {
  return {apply<AvgPoolBackward>({.geometry = saved.attributes(), .x_shape = saved.input_shape(0)}, gradient)};
}

Result AvgPoolBackward::infer(const Attributes& attributes, const Tensor& gradient) {
  check_floating(name, gradient);
  const Shape expected = pooled_shape(name, attributes.x_shape, attributes.geometry);
  if (!(gradient.shape() == expected)) {
    fail("{}: gradient {} for an output of {}", name, gradient.shape().to_string(), expected.to_string());
  }
  return {attributes.x_shape, gradient.dtype(), gradient.device()};
}

void AvgPoolBackward::run(const Attributes& attributes, const Tensor& out, Aux<AvgPoolBackward>&,
                          const Tensor& gradient) {
  const NoGradGuard no_grad;
  kernels(out.device()).avg_pool_backward(out, gradient.contiguous(), attributes.geometry);
}

Gradients<1> AvgPoolBackward::gradient(const Saved<AvgPoolBackward>& saved, const Tensor& gradient) {
  return {apply<AvgPool>(saved.attributes().geometry, gradient)};
}

namespace {

template <int dims>
PoolGeometry geometry_of(const PoolOptions<dims>& options) {
  const PerDim<dims>& stride = options.stride.given ? options.stride : options.kernel;
  return {.kernel = options.kernel.template widened<3>(1),
          .stride = stride.template widened<3>(1),
          .padding = options.padding.template widened<3>(0),
          .dilation = options.dilation.template widened<3>(1),
          .ceil_mode = options.ceil_mode};
}

template <int dims>
PoolGeometry adaptive_geometry(const PerDim<dims>& size) {
  return {.adaptive = true, .out = size.template widened<3>(1)};
}

// Whether MaxPool2d does this: square windows, no padding.
bool is_square(const PoolGeometry& g) {
  return g.kernel[0] == g.kernel[1] && g.kernel[0] <= 16 && g.stride[0] == g.stride[1] && g.padding[0] == 0 &&
         g.padding[1] == 0 && g.dilation[0] == 1 && g.dilation[1] == 1 && !g.ceil_mode && !g.adaptive;
}

// function(x) in float32 when x has 16-bit floats, and back.
template <class Function>
Tensor through_float32(std::string_view op, const Tensor& x, int dims, const Function& function) {
  check_dims(op, "the input", x, dims + 2);
  return is_half(x.dtype()) ? function(x.to(DType::float32)).to(x.dtype()) : function(x);
}

ValuesIndices max_pool_with_indices(std::string_view op, const Tensor& x, int dims, const PoolGeometry& geometry) {
  Tensor indices;
  const Tensor values = through_float32(op, x, dims, [&](const Tensor& wide) {
    pool_result(op, geometry, wide);  // for a message under the name that was called
    indices = apply<MaxPoolIndices>(geometry, wide);
    return apply<PoolGather>({}, wide, indices);
  });
  return {values, indices};
}

Tensor max_pool(std::string_view op, const Tensor& x, int dims, const PoolGeometry& geometry) {
  if (dims != 2 || !is_square(geometry)) return max_pool_with_indices(op, x, dims, geometry).values;
  return through_float32(op, x, dims, [&](const Tensor& wide) {
    pool_result(op, geometry, wide);
    return apply<MaxPool2d>({.kernel = geometry.kernel[0], .stride = geometry.stride[0]}, wide);
  });
}

Tensor avg_pool(std::string_view op, const Tensor& x, int dims, const PoolGeometry& geometry) {
  return through_float32(op, x, dims, [&](const Tensor& wide) {
    pool_result(op, geometry, wide);
    return apply<AvgPool>(geometry, wide);
  });
}

template <int dims>
Tensor avg_pool(std::string_view op, const Tensor& x, const AvgPoolOptions<dims>& options) {
  PoolGeometry geometry = geometry_of(PoolOptions<dims>{.kernel = options.kernel,
                                                        .stride = options.stride,
                                                        .padding = options.padding,
                                                        .ceil_mode = options.ceil_mode});
  geometry.count_include_pad = options.count_include_pad;
  geometry.divisor = options.divisor;
  return avg_pool(op, x, dims, geometry);
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor max_pool1d(const Tensor& x, PoolOptions<1> options) {
  return ops::max_pool("max_pool1d", x, 1, ops::geometry_of(options));
}
Tensor max_pool2d(const Tensor& x, PoolOptions<2> options) {
  return ops::max_pool("max_pool2d", x, 2, ops::geometry_of(options));
}
Tensor max_pool3d(const Tensor& x, PoolOptions<3> options) {
  return ops::max_pool("max_pool3d", x, 3, ops::geometry_of(options));
}
ValuesIndices max_pool1d_with_indices(const Tensor& x, PoolOptions<1> options) {
  return ops::max_pool_with_indices("max_pool1d_with_indices", x, 1, ops::geometry_of(options));
}
ValuesIndices max_pool2d_with_indices(const Tensor& x, PoolOptions<2> options) {
  return ops::max_pool_with_indices("max_pool2d_with_indices", x, 2, ops::geometry_of(options));
}
ValuesIndices max_pool3d_with_indices(const Tensor& x, PoolOptions<3> options) {
  return ops::max_pool_with_indices("max_pool3d_with_indices", x, 3, ops::geometry_of(options));
}
Tensor avg_pool1d(const Tensor& x, AvgPoolOptions<1> options) { return ops::avg_pool("avg_pool1d", x, options); }
Tensor avg_pool2d(const Tensor& x, AvgPoolOptions<2> options) { return ops::avg_pool("avg_pool2d", x, options); }
Tensor avg_pool3d(const Tensor& x, AvgPoolOptions<3> options) { return ops::avg_pool("avg_pool3d", x, options); }

Tensor adaptive_avg_pool1d(const Tensor& x, PerDim<1> size) {
  return ops::avg_pool("adaptive_avg_pool1d", x, 1, ops::adaptive_geometry(size));
}
Tensor adaptive_avg_pool2d(const Tensor& x, PerDim<2> size) {
  return ops::avg_pool("adaptive_avg_pool2d", x, 2, ops::adaptive_geometry(size));
}
Tensor adaptive_avg_pool3d(const Tensor& x, PerDim<3> size) {
  return ops::avg_pool("adaptive_avg_pool3d", x, 3, ops::adaptive_geometry(size));
}
Tensor adaptive_max_pool1d(const Tensor& x, PerDim<1> size) {
  return ops::max_pool("adaptive_max_pool1d", x, 1, ops::adaptive_geometry(size));
}
Tensor adaptive_max_pool2d(const Tensor& x, PerDim<2> size) {
  return ops::max_pool("adaptive_max_pool2d", x, 2, ops::adaptive_geometry(size));
}
Tensor adaptive_max_pool3d(const Tensor& x, PerDim<3> size) {
  return ops::max_pool("adaptive_max_pool3d", x, 3, ops::adaptive_geometry(size));
}

}  // namespace feral
