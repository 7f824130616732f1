#include "autograd/ops/counting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/check.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {

Result Bincount::infer(const Attributes& attributes, const Tensor& x, const Tensor& weights) {
  check_dims(name, "the numbers", x, 1);
  if (is_floating(x.dtype()) || x.dtype() == DType::boolean) {
    fail("{}: expected integers, got {}; convert with to()", name, name_of(x.dtype()));
  }
  if (attributes.min_length < 0) fail("{}: the length {} is negative", name, attributes.min_length);
  if (weights.defined()) {
    check_floating(name, weights);
    if (!(weights.shape() == x.shape())) {
      fail("{}: {} numbers, weights of shape {}", name, x.numel(), weights.shape().to_string());
    }
  }
  std::int64_t length = attributes.min_length;
  if (x.numel() > 0) {
    const IntegerRange range = kernels(x.device()).integer_range(x);
    if (range.smallest < 0) fail("{}: {} is negative", name, range.smallest);
    if (range.largest == std::numeric_limits<std::int64_t>::max()) fail("{}: {} is too large", name, range.largest);
    length = std::max(length, range.largest + 1);
  }
  return {{length}, weights.defined() ? weights.dtype() : DType::int64, x.device()};
}

void Bincount::run(const Attributes&, const Tensor& out, Aux<Bincount>&, const Tensor& x, const Tensor& weights) {
  kernels(out.device()).bincount(out, x, weights);
}

namespace {

// The attributes' range, or that of the elements; never empty, as torch.histc makes it.
FloatRange range_of(const Histogram::Attributes& attributes, const Tensor& x) {
  FloatRange range{attributes.low, attributes.high};
  if (range.smallest == range.largest && x.numel() > 0) range = kernels(x.device()).float_range(x);
  if (range.smallest == range.largest) {
    range.smallest -= 1;
    range.largest += 1;
  }
  return range;
}

}  // namespace

Result Histogram::infer(const Attributes& attributes, const Tensor& x) {
  check_floating(name, x);
  if (attributes.bins < 1) fail("{}: {} bins", name, attributes.bins);
  if (attributes.low > attributes.high)
    fail("{}: the range from {} to {} is empty", name, attributes.low, attributes.high);
  const FloatRange range = range_of(attributes, x);
  const double width = range.largest - range.smallest;
  const double widest =
      x.dtype() == DType::float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  if (!(width <= widest) || std::abs(range.smallest) > widest || std::abs(range.largest) > widest) {
    fail("{}: the range from {} to {} is not finite in {}", name, range.smallest, range.largest,
         name_of(x.dtype()));
  }
  return {{attributes.bins}, x.dtype(), x.device()};
}

void Histogram::run(const Attributes& attributes, const Tensor& out, Aux<Histogram>&, const Tensor& x) {
  const FloatRange range = range_of(attributes, x);
  kernels(out.device()).histogram(out, x, range.smallest, range.largest);
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::bincount(const Tensor& weights, std::int64_t min_length) const {
  // PyTorch's: sums of other types than float32 are float64.
  const bool converted = weights.defined() && !has_gradient(weights.dtype());
  return apply<ops::Bincount>({.min_length = min_length}, *this, converted ? weights.to(DType::float64) : weights);
}

Tensor Tensor::histogram(std::int64_t bins, double low, double high) const {
  ops::check_defined("histogram", *this);
  if (is_half(dtype())) return to(DType::float32).histogram(bins, low, high).to(dtype());
  return apply<ops::Histogram>({.bins = bins, .low = low, .high = high}, *this);
}

}  // namespace feral
