#include "nn/conv.hpp"

#include <array>

#include "autograd/ops/convolution.hpp"
#include "autograd/ops/pad.hpp"
#include "core/fail.hpp"
#include "nn/batched.hpp"
#include "nn/init.hpp"
#include "nn/repr.hpp"

namespace feral::nn {
namespace {

template <int dims>
bool all_at_least(const PerDim<dims>& values, std::int64_t least) {
  for (int i = 0; i < dims; ++i) {
    if (values[i] < least) return false;
  }
  return true;
}

// For a kernel that Tensor::empty has made: the product fits.
template <int dims>
std::int64_t taps_of(const PerDim<dims>& kernel) {
  std::int64_t taps = 1;
  for (int i = 0; i < dims; ++i) taps *= kernel[i];
  return taps;
}

// Weight and bias as PyTorch makes them: the fan-in is what the weight's second dimension says.
template <int dims>
void make_parameters(Tensor& weight, Tensor& bias, std::int64_t first, std::int64_t second,
                     const PerDim<dims>& kernel, std::int64_t out_channels, bool with_bias) {
  Shape shape = {first, second};
  for (int i = 0; i < dims; ++i) shape.push_back(kernel[i]);
  weight = Tensor::empty(shape);
  const std::int64_t fan_in = second * taps_of(kernel);
  init::fan_in_uniform_(weight, fan_in);
  if (!with_bias) return;
  bias = Tensor::empty({out_channels});
  init::fan_in_uniform_(bias, fan_in);
}

void check_input(const Module& module, const Tensor& x, int dims, std::int64_t channels) {
  if (x.defined() && x.dims() == dims + 2 && x.shape()[1] == channels) return;
  fail("{}: expected [n, {}] and {} spatial dimensions, with or without n, got {}", module.kind(), channels, dims,
       x.to_string());
}

template <int dims>
Tensor convolve(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions<dims>& options) {
  if constexpr (dims == 1) {
    return conv1d(x, weight, bias, options);
  } else if constexpr (dims == 2) {
    return conv2d(x, weight, bias, options);
  } else {
    return conv3d(x, weight, bias, options);
  }
}

template <int dims>
Tensor convolve_transposed(const Tensor& x, const Tensor& weight, const Tensor& bias,
                           const ConvTransposeOptions<dims>& options) {
  if constexpr (dims == 1) {
    return conv_transpose1d(x, weight, bias, options);
  } else if constexpr (dims == 2) {
    return conv_transpose2d(x, weight, bias, options);
  } else {
    return conv_transpose3d(x, weight, bias, options);
  }
}

PadMode pad_mode_of(PaddingMode mode) {
  switch (mode) {
    case PaddingMode::reflect:
      return PadMode::reflect;
    case PaddingMode::replicate:
      return PadMode::replicate;
    case PaddingMode::circular:
      return PadMode::circular;
    default:
      return PadMode::constant;
  }
}

const char* name_of_mode(PaddingMode mode) {
  constexpr const char* names[] = {"zeros", "reflect", "replicate", "circular"};
  return names[static_cast<std::size_t>(mode)];
}

}  // namespace

template <int dims>
ConvPadding<dims>::ConvPadding(const char* word) : same(std::string_view(word) == "same") {
  if (!same && std::string_view(word) != "valid") {
    fail("convolution: padding '{}' is none; there are 'same', 'valid' and numbers", word);
  }
}

template <int dims>
ConvNd<dims>::ConvNd(std::string_view kind, std::int64_t in_channels, std::int64_t out_channels,
                     PerDim<dims> kernel_size, const ConvNdOptions<dims>& options)
    : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size), options_(options) {
  const PerDim<dims>& padding = options.padding.amount;
  if (in_channels < 1 || out_channels < 1 || !all_at_least(kernel_size, 1) || !all_at_least(options.stride, 1) ||
      !all_at_least(padding, 0) || !all_at_least(options.dilation, 1)) {
    fail(
        "{}: {} in, {} out channels, kernel {}, stride {}, padding {}, dilation {}: all must be at least 1, "
        "padding "
        "0",
        kind, in_channels, out_channels, repr_of(kernel_size), repr_of(options.stride), repr_of(padding),
        repr_of(options.dilation));
  }
  if (options.groups < 1 || in_channels % options.groups != 0 || out_channels % options.groups != 0) {
    fail("{}: {} in and {} out channels do not both fall into {} groups", kind, in_channels, out_channels,
         options.groups);
  }
  if (options.padding.same && repr_of(options.stride) != "1") {
    fail("{}: padding 'same' with stride {}: the size stays only with stride 1", kind, repr_of(options.stride));
  }
  // Even padding of zeros is the op's; other kinds are put around the input.
  bool uneven = false;
  padding_ = padding;
  for (int i = 0; options.padding.same && i < dims; ++i) {
    const std::int64_t total = options.dilation[i] * (kernel_size[i] - 1);
    uneven = uneven || total % 2 != 0;
    padding_[i] = total / 2;
  }
  if (uneven || options.padding_mode != PaddingMode::zeros) padding_ = 0;
  make_parameters(weight, bias, out_channels, in_channels / options.groups, kernel_size, out_channels,
                  options.bias);
  this->register_parameter("weight", weight);
  if (options.bias) this->register_parameter("bias", bias);
}

// x with the padding that the op does not do.
template <int dims>
Tensor ConvNd<dims>::padded(const Tensor& x) const {
  std::array<std::int64_t, 2 * static_cast<std::size_t>(dims)> margins{};
  bool any = false;
  for (int i = 0; i < dims; ++i) {
    const std::int64_t total =
        options_.padding.same ? options_.dilation[i] * (kernel_size_[i] - 1) : 2 * options_.padding.amount[i];
    const auto at = static_cast<std::size_t>(2 * (dims - 1 - i));  // the last dimension comes first
    margins[at] = total / 2 - padding_[i];
    margins[at + 1] = total - total / 2 - padding_[i];
    any = any || margins[at] != 0 || margins[at + 1] != 0;
  }
  return any ? pad(x, margins, pad_mode_of(options_.padding_mode)) : x;
}

template <int dims>
Tensor ConvNd<dims>::forward(const Tensor& x) {
  return batched(x, dims + 1, [&](const Tensor& batch) {
    check_input(*this, batch, dims, in_channels_);
    return convolve<dims>(
        padded(batch), weight, bias,
        {.stride = options_.stride, .padding = padding_, .dilation = options_.dilation, .groups = options_.groups});
  });
}

template <int dims>
std::string ConvNd<dims>::extra_repr() const {
  std::string text = fmt::format("{}, {}, kernel_size={}, stride={}", in_channels_, out_channels_,
                                 tuple_of(kernel_size_), tuple_of(options_.stride));
  if (options_.padding.same) {
    text += ", padding=same";
  } else if (repr_of(options_.padding.amount) != "0") {
    text += ", padding=" + tuple_of(options_.padding.amount);
  }
  if (repr_of(options_.dilation) != "1") text += ", dilation=" + tuple_of(options_.dilation);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  if (options_.padding_mode != PaddingMode::zeros) {
    text += std::string(", padding_mode=") + name_of_mode(options_.padding_mode);
  }
  return text;
}

template <int dims>
ConvTransposeNd<dims>::ConvTransposeNd(std::string_view kind, std::int64_t in_channels, std::int64_t out_channels,
                                       PerDim<dims> kernel_size, const ConvTransposeNdOptions<dims>& options)
    : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size), options_(options) {
  if (in_channels < 1 || out_channels < 1 || !all_at_least(kernel_size, 1) || !all_at_least(options.stride, 1) ||
      !all_at_least(options.padding, 0) || !all_at_least(options.output_padding, 0) ||
      !all_at_least(options.dilation, 1)) {
    fail(
        "{}: {} in, {} out channels, kernel {}, stride {}, padding {}, output_padding {}, dilation {}: all must be "
        "at least 1, paddings 0",
        kind, in_channels, out_channels, repr_of(kernel_size), repr_of(options.stride), repr_of(options.padding),
        repr_of(options.output_padding), repr_of(options.dilation));
  }
  if (options.groups < 1 || in_channels % options.groups != 0 || out_channels % options.groups != 0) {
    fail("{}: {} in and {} out channels do not both fall into {} groups", kind, in_channels, out_channels,
         options.groups);
  }
  make_parameters(weight, bias, in_channels, out_channels / options.groups, kernel_size, out_channels,
                  options.bias);
  this->register_parameter("weight", weight);
  if (options.bias) this->register_parameter("bias", bias);
}

template <int dims>
Tensor ConvTransposeNd<dims>::transposed(const Tensor& x, const PerDim<dims>& output_padding) const {
  return convolve_transposed<dims>(x, weight, bias,
                                   {.stride = options_.stride,
                                    .padding = options_.padding,
                                    .output_padding = output_padding,
                                    .groups = options_.groups,
                                    .dilation = options_.dilation});
}

template <int dims>
Tensor ConvTransposeNd<dims>::forward(const Tensor& x) {
  return batched(x, dims + 1, [&](const Tensor& batch) {
    check_input(*this, batch, dims, in_channels_);
    return transposed(batch, options_.output_padding);
  });
}

template <int dims>
Tensor ConvTransposeNd<dims>::forward(const Tensor& x, PerDim<dims> output_size) {
  return batched(x, dims + 1, [&](const Tensor& batch) {
    check_input(*this, batch, dims, in_channels_);
    PerDim<dims> output_padding = 0;
    for (int i = 0; i < dims; ++i) {
      const std::int64_t least = (batch.shape()[2 + i] - 1) * options_.stride[i] - 2 * options_.padding[i] +
                                 options_.dilation[i] * (kernel_size_[i] - 1) + 1;
      output_padding[i] = output_size[i] - least;
      if (output_padding[i] < 0 || output_padding[i] >= options_.stride[i]) {
        fail("{}: an output size of {} from input {}, possible are {} to {}", this->kind(), output_size[i],
             batch.shape().to_string(), least, least + options_.stride[i] - 1);
      }
    }
    return transposed(batch, output_padding);
  });
}

template <int dims>
std::string ConvTransposeNd<dims>::extra_repr() const {
  std::string text = fmt::format("{}, {}, kernel_size={}, stride={}", in_channels_, out_channels_,
                                 tuple_of(kernel_size_), tuple_of(options_.stride));
  if (repr_of(options_.padding) != "0") text += ", padding=" + tuple_of(options_.padding);
  if (repr_of(options_.dilation) != "1") text += ", dilation=" + tuple_of(options_.dilation);
  if (repr_of(options_.output_padding) != "0") text += ", output_padding=" + tuple_of(options_.output_padding);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  return text;
}

template struct ConvPadding<1>;
template struct ConvPadding<2>;
template struct ConvPadding<3>;
template class ConvNd<1>;
template class ConvNd<2>;
template class ConvNd<3>;
template class ConvTransposeNd<1>;
template class ConvTransposeNd<2>;
template class ConvTransposeNd<3>;

}  // namespace feral::nn
