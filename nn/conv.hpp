// Convolution of one to three spatial dimensions, and its transpose.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "nn/module.hpp"
#include "tensor/per_dim.hpp"

namespace feral::nn {

// What stands around the input.
enum class PaddingMode : std::uint8_t { zeros, reflect, replicate, circular };

// A number for all spatial dimensions, one for each, "valid" (none), or "same": as much as leaves the size as it
// is, for a stride of 1.
template <int dims>
struct ConvPadding {
  PerDim<dims> amount = 0;
  bool same = false;

  constexpr ConvPadding() = default;
  template <std::integral... T>
  requires(sizeof...(T) == 1 || sizeof...(T) == static_cast<std::size_t>(dims)) constexpr ConvPadding(T... each)
      : amount(each...) {}
  ConvPadding(const char* word);  // throws feral::Error for any other one
};

// Numbers are for all spatial dimensions, or one for each: {.stride = 2, .padding = {1, 0}}.
template <int dims>
struct ConvNdOptions {
  PerDim<dims> stride = 1;
  ConvPadding<dims> padding = 0;
  PerDim<dims> dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
};
using Conv1dOptions = ConvNdOptions<1>;
using Conv2dOptions = ConvNdOptions<2>;
using Conv3dOptions = ConvNdOptions<3>;

// x [n, in, d…] → [n, out, od…], od = (d + 2 padding - dilation (kernel - 1) - 1) / stride + 1 rounded down; an x
// without the batch dimension gives a result without it. Parameters: weight [out, in / groups, kernel…], bias
// [out].
template <int dims>
class ConvNd : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

  Tensor weight;
  Tensor bias;  // undefined without one

 protected:
  ConvNd(std::string_view kind, std::int64_t in_channels, std::int64_t out_channels, PerDim<dims> kernel_size,
         const ConvNdOptions<dims>& options);

 private:
  Tensor padded(const Tensor& x) const;

  std::int64_t in_channels_;
  std::int64_t out_channels_;
  PerDim<dims> kernel_size_;
  ConvNdOptions<dims> options_;
  PerDim<dims> padding_;  // zeros on both sides, which the op puts there
};

class Conv1d : public ConvNd<1> {
 public:
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, PerDim<1> kernel_size, Conv1dOptions options = {})
      : ConvNd("Conv1d", in_channels, out_channels, kernel_size, options) {}
};

class Conv2d : public ConvNd<2> {
 public:
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, PerDim<2> kernel_size, Conv2dOptions options = {})
      : ConvNd("Conv2d", in_channels, out_channels, kernel_size, options) {}
};

class Conv3d : public ConvNd<3> {
 public:
  Conv3d(std::int64_t in_channels, std::int64_t out_channels, PerDim<3> kernel_size, Conv3dOptions options = {})
      : ConvNd("Conv3d", in_channels, out_channels, kernel_size, options) {}
};

template <int dims>
struct ConvTransposeNdOptions {
  PerDim<dims> stride = 1;
  PerDim<dims> padding = 0;         // taken off both sides of the result
  PerDim<dims> output_padding = 0;  // added to its far side, below the stride
  std::int64_t groups = 1;
  bool bias = true;
  PerDim<dims> dilation = 1;
};
using ConvTranspose1dOptions = ConvTransposeNdOptions<1>;
using ConvTranspose2dOptions = ConvTransposeNdOptions<2>;
using ConvTranspose3dOptions = ConvTransposeNdOptions<3>;

// x [n, in, d…] → [n, out, od…], od = (d - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1; an x
// without the batch dimension gives a result without it. Parameters: weight [in, out / groups, kernel…], bias
// [out].
template <int dims>
class ConvTransposeNd : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  // For a result whose spatial dimensions are of output_size, up to a stride - 1 more than without output_padding.
  Tensor forward(const Tensor& x, PerDim<dims> output_size);
  std::string extra_repr() const override;

  Tensor weight;
  Tensor bias;  // undefined without one

 protected:
  ConvTransposeNd(std::string_view kind, std::int64_t in_channels, std::int64_t out_channels,
                  PerDim<dims> kernel_size, const ConvTransposeNdOptions<dims>& options);

 private:
  Tensor transposed(const Tensor& x, const PerDim<dims>& output_padding) const;

  std::int64_t in_channels_;
  std::int64_t out_channels_;
  PerDim<dims> kernel_size_;
  ConvTransposeNdOptions<dims> options_;
};

class ConvTranspose1d : public ConvTransposeNd<1> {
 public:
  ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, PerDim<1> kernel_size,
                  ConvTranspose1dOptions options = {})
      : ConvTransposeNd("ConvTranspose1d", in_channels, out_channels, kernel_size, options) {}
};

class ConvTranspose2d : public ConvTransposeNd<2> {
 public:
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, PerDim<2> kernel_size,
                  ConvTranspose2dOptions options = {})
      : ConvTransposeNd("ConvTranspose2d", in_channels, out_channels, kernel_size, options) {}
};

class ConvTranspose3d : public ConvTransposeNd<3> {
 public:
  ConvTranspose3d(std::int64_t in_channels, std::int64_t out_channels, PerDim<3> kernel_size,
                  ConvTranspose3dOptions options = {})
      : ConvTransposeNd("ConvTranspose3d", in_channels, out_channels, kernel_size, options) {}
};

}  // namespace feral::nn
