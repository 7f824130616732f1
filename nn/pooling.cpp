#include "nn/pooling.hpp"

#include "core/fail.hpp"
#include "nn/batched.hpp"
#include "nn/repr.hpp"

namespace feral::nn {
namespace {

template <int dims>
const PerDim<dims>& stride_of(const PerDim<dims>& stride, const PerDim<dims>& kernel) {
  return stride.given ? stride : kernel;
}

template <int dims>
void check_windows(std::string_view kind, const PerDim<dims>& kernel, const PerDim<dims>& stride,
                   const PerDim<dims>& padding, const PerDim<dims>& dilation) {
  for (int i = 0; i < dims; ++i) {
    const std::int64_t step = stride_of(stride, kernel)[i];
    if (kernel[i] < 1 || step < 1 || dilation[i] < 1 || padding[i] < 0) {
      fail("{}: kernel {}, stride {}, padding {}, dilation {}: all must be at least 1, padding 0", kind, kernel[i],
           step, padding[i], dilation[i]);
    }
    const std::int64_t half = ((kernel[i] - 1) * dilation[i] + 1) / 2;
    if (padding[i] > half) {
      fail("{}: padding {} is more than half of the window, {} for kernel {} and dilation {}", kind, padding[i],
           half, kernel[i], dilation[i]);
    }
  }
}

template <int dims>
void check_input(const Module& module, const Tensor& x) {
  if (x.defined() && x.dims() == dims + 2) return;
  fail("{}: expected [n, c] and {} spatial dimensions, with or without n, got {}", module.kind(), dims,
       x.to_string());
}

Tensor max_pool(const Tensor& x, const PoolOptions<1>& options) { return max_pool1d(x, options); }
Tensor max_pool(const Tensor& x, const PoolOptions<2>& options) { return max_pool2d(x, options); }
Tensor max_pool(const Tensor& x, const PoolOptions<3>& options) { return max_pool3d(x, options); }
ValuesIndices max_pool_with_indices(const Tensor& x, const PoolOptions<1>& options) {
  return max_pool1d_with_indices(x, options);
}
ValuesIndices max_pool_with_indices(const Tensor& x, const PoolOptions<2>& options) {
  return max_pool2d_with_indices(x, options);
}
ValuesIndices max_pool_with_indices(const Tensor& x, const PoolOptions<3>& options) {
  return max_pool3d_with_indices(x, options);
}
Tensor avg_pool(const Tensor& x, const AvgPoolOptions<1>& options) { return avg_pool1d(x, options); }
Tensor avg_pool(const Tensor& x, const AvgPoolOptions<2>& options) { return avg_pool2d(x, options); }
Tensor avg_pool(const Tensor& x, const AvgPoolOptions<3>& options) { return avg_pool3d(x, options); }

}  // namespace

template <int dims>
MaxPoolNd<dims>::MaxPoolNd(std::string_view kind, PerDim<dims> kernel_size, const MaxPoolNdOptions<dims>& options)
    : options_{.kernel = kernel_size,
               .stride = stride_of(options.stride, kernel_size),
               .padding = options.padding,
               .dilation = options.dilation,
               .ceil_mode = options.ceil_mode} {
  check_windows(kind, kernel_size, options.stride, options.padding, options.dilation);
}

template <int dims>
Tensor MaxPoolNd<dims>::forward(const Tensor& x) {
  return batched(x, dims + 1, [&](const Tensor& batch) {
    check_input<dims>(*this, batch);
    return max_pool(batch, options_);
  });
}

template <int dims>
ValuesIndices MaxPoolNd<dims>::forward_with_indices(const Tensor& x) {
  if (x.defined() && x.dims() == dims + 1) {
    const ValuesIndices result = forward_with_indices(x.unsqueeze(0));
    return {result.values.squeeze(0), result.indices.squeeze(0)};
  }
  check_input<dims>(*this, x);
  return max_pool_with_indices(x, options_);
}

template <int dims>
std::string MaxPoolNd<dims>::extra_repr() const {
  return fmt::format("kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={}", repr_of(options_.kernel),
                     repr_of(options_.stride), repr_of(options_.padding), repr_of(options_.dilation),
                     repr_of(options_.ceil_mode));
}

template <int dims>
AvgPoolNd<dims>::AvgPoolNd(std::string_view kind, PerDim<dims> kernel_size, const AvgPoolNdOptions<dims>& options)
    : options_{.kernel = kernel_size,
               .stride = stride_of(options.stride, kernel_size),
               .padding = options.padding,
               .ceil_mode = options.ceil_mode,
               .count_include_pad = options.count_include_pad,
               .divisor = options.divisor_override} {
  check_windows(kind, kernel_size, options.stride, options.padding, PerDim<dims>(1));
}

template <int dims>
Tensor AvgPoolNd<dims>::forward(const Tensor& x) {
  return batched(x, dims + 1, [&](const Tensor& batch) {
    check_input<dims>(*this, batch);
    return avg_pool(batch, options_);
  });
}

template <int dims>
std::string AvgPoolNd<dims>::extra_repr() const {
  // PyTorch's AvgPool1d makes tuples of its numbers, the others keep what they were given.
  const auto text = [](const PerDim<dims>& values) { return dims == 1 ? tuple_of(values) : repr_of(values); };
  return fmt::format("kernel_size={}, stride={}, padding={}", text(options_.kernel), text(options_.stride),
                     text(options_.padding));
}

template <int dims>
AdaptivePoolNd<dims>::AdaptivePoolNd(std::string_view kind, PerDim<dims> output_size) : output_size_(output_size) {
  for (int i = 0; i < dims; ++i) {
    if (output_size[i] < -1) {
      fail("{}: an output size of {}; there are 0 and more, and -1 for the input's own", kind, output_size[i]);
    }
  }
}

template <int dims>
PerDim<dims> AdaptivePoolNd<dims>::output_size_of(const Tensor& x) const {
  check_input<dims>(*this, x);
  PerDim<dims> size = output_size_;
  for (int i = 0; i < dims; ++i) {
    if (size[i] == -1) size[i] = x.shape()[2 + i];
  }
  return size;
}

template <int dims>
std::string AdaptivePoolNd<dims>::extra_repr() const {
  std::string text = repr_of(output_size_);
  for (std::size_t kept = 0; (kept = text.find("-1")) != std::string::npos;) text.replace(kept, 2, "None");
  return "output_size=" + text;
}

Tensor AdaptiveAvgPool1d::forward(const Tensor& x) {
  return batched(x, 2, [&](const Tensor& batch) { return adaptive_avg_pool1d(batch, output_size_of(batch)); });
}
Tensor AdaptiveAvgPool2d::forward(const Tensor& x) {
  return batched(x, 3, [&](const Tensor& batch) { return adaptive_avg_pool2d(batch, output_size_of(batch)); });
}
Tensor AdaptiveAvgPool3d::forward(const Tensor& x) {
  return batched(x, 4, [&](const Tensor& batch) { return adaptive_avg_pool3d(batch, output_size_of(batch)); });
}
Tensor AdaptiveMaxPool1d::forward(const Tensor& x) {
  return batched(x, 2, [&](const Tensor& batch) { return adaptive_max_pool1d(batch, output_size_of(batch)); });
}
Tensor AdaptiveMaxPool2d::forward(const Tensor& x) {
  return batched(x, 3, [&](const Tensor& batch) { return adaptive_max_pool2d(batch, output_size_of(batch)); });
}
Tensor AdaptiveMaxPool3d::forward(const Tensor& x) {
  return batched(x, 4, [&](const Tensor& batch) { return adaptive_max_pool3d(batch, output_size_of(batch)); });
}

template class MaxPoolNd<1>;
template class MaxPoolNd<2>;
template class MaxPoolNd<3>;
template class AvgPoolNd<1>;
template class AvgPoolNd<2>;
template class AvgPoolNd<3>;
template class AdaptivePoolNd<1>;
template class AdaptivePoolNd<2>;
template class AdaptivePoolNd<3>;

}  // namespace feral::nn
