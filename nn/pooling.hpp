// Pooling over windows of one to three spatial dimensions. AdaptiveAvgPool2d(1) and its like are global pooling.
//
// x [n, c, d…] → [n, c, od…]; an x without the batch dimension gives a result without it. Numbers are for all
// spatial dimensions, or one for each: MaxPool2d({3, 2}, {.stride = 2}).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autograd/ops/pooling.hpp"
#include "nn/module.hpp"

namespace feral::nn {

template <int dims>
struct MaxPoolNdOptions {
  PerDim<dims> stride = {};   // the kernel's size unless given
  PerDim<dims> padding = 0;   // never the largest; at most half the window
  PerDim<dims> dilation = 1;  // distance of a window's elements
  bool ceil_mode = false;     // the last window may reach over the edge
};
using MaxPool1dOptions = MaxPoolNdOptions<1>;
using MaxPool2dOptions = MaxPoolNdOptions<2>;
using MaxPool3dOptions = MaxPoolNdOptions<3>;

// The largest of each window.
template <int dims>
class MaxPoolNd : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  // With where each stood: positions in its plane of x, row by row.
  ValuesIndices forward_with_indices(const Tensor& x);
  std::string extra_repr() const override;

 protected:
  MaxPoolNd(std::string_view kind, PerDim<dims> kernel_size, const MaxPoolNdOptions<dims>& options);

 private:
  PoolOptions<dims> options_;
};

class MaxPool1d : public MaxPoolNd<1> {
 public:
  explicit MaxPool1d(PerDim<1> kernel_size, MaxPool1dOptions options = {})
      : MaxPoolNd("MaxPool1d", kernel_size, options) {}
};
class MaxPool2d : public MaxPoolNd<2> {
 public:
  explicit MaxPool2d(PerDim<2> kernel_size, MaxPool2dOptions options = {})
      : MaxPoolNd("MaxPool2d", kernel_size, options) {}
  MaxPool2d(std::int64_t kernel_size, std::int64_t stride)
      : MaxPoolNd("MaxPool2d", kernel_size, {.stride = stride}) {}
};
class MaxPool3d : public MaxPoolNd<3> {
 public:
  explicit MaxPool3d(PerDim<3> kernel_size, MaxPool3dOptions options = {})
      : MaxPoolNd("MaxPool3d", kernel_size, options) {}
};

template <int dims>
struct AvgPoolNdOptions {
  PerDim<dims> stride = {};  // the kernel's size unless given
  PerDim<dims> padding = 0;  // zeros, at most half the window
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::int64_t divisor_override =
      0;  // in the place of the number of elements, unless 0; PyTorch's AvgPool1d has none
};
using AvgPool1dOptions = AvgPoolNdOptions<1>;
using AvgPool2dOptions = AvgPoolNdOptions<2>;
using AvgPool3dOptions = AvgPoolNdOptions<3>;

// The mean of each window.
template <int dims>
class AvgPoolNd : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 protected:
  AvgPoolNd(std::string_view kind, PerDim<dims> kernel_size, const AvgPoolNdOptions<dims>& options);

 private:
  AvgPoolOptions<dims> options_;
};

class AvgPool1d : public AvgPoolNd<1> {
 public:
  explicit AvgPool1d(PerDim<1> kernel_size, AvgPool1dOptions options = {})
      : AvgPoolNd("AvgPool1d", kernel_size, options) {}
};
class AvgPool2d : public AvgPoolNd<2> {
 public:
  explicit AvgPool2d(PerDim<2> kernel_size, AvgPool2dOptions options = {})
      : AvgPoolNd("AvgPool2d", kernel_size, options) {}
};
class AvgPool3d : public AvgPoolNd<3> {
 public:
  explicit AvgPool3d(PerDim<3> kernel_size, AvgPool3dOptions options = {})
      : AvgPoolNd("AvgPool3d", kernel_size, options) {}
};

// Windows for a result of output_size, whatever the size of x; -1 keeps a size as it is.
template <int dims>
class AdaptivePoolNd : public Module {
 public:
  std::string extra_repr() const override;

 protected:
  AdaptivePoolNd(std::string_view kind, PerDim<dims> output_size);
  PerDim<dims> output_size_of(const Tensor& x) const;

 private:
  PerDim<dims> output_size_;
};

class AdaptiveAvgPool1d : public AdaptivePoolNd<1> {
 public:
  explicit AdaptiveAvgPool1d(PerDim<1> output_size) : AdaptivePoolNd("AdaptiveAvgPool1d", output_size) {}
  Tensor forward(const Tensor& x) override;
};
class AdaptiveAvgPool2d : public AdaptivePoolNd<2> {
 public:
  explicit AdaptiveAvgPool2d(PerDim<2> output_size) : AdaptivePoolNd("AdaptiveAvgPool2d", output_size) {}
  Tensor forward(const Tensor& x) override;
};
class AdaptiveAvgPool3d : public AdaptivePoolNd<3> {
 public:
  explicit AdaptiveAvgPool3d(PerDim<3> output_size) : AdaptivePoolNd("AdaptiveAvgPool3d", output_size) {}
  Tensor forward(const Tensor& x) override;
};
class AdaptiveMaxPool1d : public AdaptivePoolNd<1> {
 public:
  explicit AdaptiveMaxPool1d(PerDim<1> output_size) : AdaptivePoolNd("AdaptiveMaxPool1d", output_size) {}
  Tensor forward(const Tensor& x) override;
};
class AdaptiveMaxPool2d : public AdaptivePoolNd<2> {
 public:
  explicit AdaptiveMaxPool2d(PerDim<2> output_size) : AdaptivePoolNd("AdaptiveMaxPool2d", output_size) {}
  Tensor forward(const Tensor& x) override;
};
class AdaptiveMaxPool3d : public AdaptivePoolNd<3> {
 public:
  explicit AdaptiveMaxPool3d(PerDim<3> output_size) : AdaptivePoolNd("AdaptiveMaxPool3d", output_size) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace feral::nn
