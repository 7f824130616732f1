#include "autograd/ops/view_part.hpp"

#include <algorithm>

#include "autograd/ops/check.hpp"
#include "tensor/in_place.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

Geometry without(const Shape& shape, const Shape& strides, int dim) {
  Geometry rest;
  for (int i = 0; i < shape.dims(); ++i) {
    if (i == dim) continue;
    rest.shape.push_back(shape[i]);
    rest.strides.push_back(strides[i]);
  }
  return rest;
}

// How far its last element stands from its first; nothing on overflow. Strides are not negative.
bool reach_of(const Shape& shape, const Shape& strides, std::int64_t& reach) {
  reach = 0;
  for (int i = 0; i < shape.dims(); ++i) {
    if (shape[i] == 0) {
      reach = 0;
      return true;
    }
  }
  for (int i = 0; i < shape.dims(); ++i) {
    std::int64_t own = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &own)) return false;
    if (__builtin_add_overflow(reach, own, &reach)) return false;
  }
  return true;
}

std::int64_t reach_of(const Shape& shape, const Shape& strides) {
  std::int64_t reach = 0;
  reach_of(shape, strides, reach);
  return reach;
}

// out += x, where out may show an element several times: dimensions are taken apart until none does.
void add_apart(const Kernels& device, const Tensor& out, const Tensor& x) {
  if (!overlaps_itself(out)) {
    device.binary(BinaryKernel::add, out, out, x);
    return;
  }
  int smallest = -1;
  for (int i = 0; i < out.dims(); ++i) {
    if (out.shape()[i] > 1 && (smallest < 0 || out.shape()[i] < out.shape()[smallest])) smallest = i;
  }
  for (std::int64_t i = 0; i < out.shape()[smallest]; ++i) {
    const SelectAttributes at{.dim = smallest, .index = i};
    add_apart(device, Select::view(at, out), Select::view(at, x));
  }
}

}  // namespace

// Empty views start at the first element: further on there may be no memory.

Geometry Narrow::part(const Attributes& attributes, const Shape& shape, const Shape& strides) {
  Geometry part{shape, strides};
  part.shape[attributes.dim] = attributes.length;
  if (attributes.length > 0) part.offset = attributes.start * strides[attributes.dim];
  return part;
}

Geometry Slice::part(const Attributes& attributes, const Shape& shape, const Shape& strides) {
  Geometry part =
      Narrow::part({.dim = attributes.dim, .start = attributes.start, .length = attributes.length}, shape, strides);
  if (attributes.length > 1) part.strides[attributes.dim] *= attributes.step;
  return part;
}

Geometry Select::part(const Attributes& attributes, const Shape& shape, const Shape& strides) {
  Geometry part = without(shape, strides, attributes.dim);
  part.offset = attributes.index * strides[attributes.dim];
  return part;
}

Geometry Diagonal::part(const Attributes& attributes, const Shape& shape, const Shape& strides) {
  const auto [offset, dim0, dim1] = attributes;
  Geometry part = without(shape, strides, std::max(dim0, dim1));
  part = without(part.shape, part.strides, std::min(dim0, dim1));
  // Sizes are below 2^63 and so are the differences.
  const std::int64_t start0 = offset < 0 ? std::min(-offset, shape[dim0]) : 0;
  const std::int64_t start1 = offset > 0 ? std::min(offset, shape[dim1]) : 0;
  const std::int64_t length = std::min(shape[dim0] - start0, shape[dim1] - start1);
  part.shape.push_back(length);
  part.strides.push_back(strides[dim0] + strides[dim1]);
  if (length > 0) part.offset = start0 * strides[dim0] + start1 * strides[dim1];
  return part;
}

Geometry Unfold::part(const Attributes& attributes, const Shape& shape, const Shape& strides) {
  if (shape.dims() == 0) return {{attributes.size}, {1}};  // one element, as if it stood in a dimension
  Geometry part{shape, strides};
  const std::int64_t windows = (shape[attributes.dim] - attributes.size) / attributes.step + 1;
  part.shape[attributes.dim] = windows;
  if (windows > 1) part.strides[attributes.dim] *= attributes.step;
  part.shape.push_back(attributes.size);
  part.strides.push_back(strides[attributes.dim]);
  return part;
}

Tensor AsStrided::view(const Attributes& attributes, const Tensor& x) { return look(x, attributes.part); }

Gradients<1> AsStrided::gradient(const Saved<AsStrided>& saved, const Tensor& gradient) {
  // x and the view as parts of the shortest stretch of memory that has both.
  Geometry part = saved.attributes().part;
  Geometry own{saved.input_shape(0), saved.attributes().x_strides};
  const std::int64_t first = std::min<std::int64_t>(0, part.offset);
  const std::int64_t last =
      std::max(reach_of(own.shape, own.strides), part.offset + reach_of(part.shape, part.strides));
  part.offset -= first;
  own.offset -= first;
  const Shape stretch{last - first + 1};
  Tensor whole = apply<ViewBackward>({.shape = stretch, .part = part}, gradient);
  if (overlaps_itself(own.shape, own.strides)) {
    // Places of x that are one element share its gradient evenly, as in PyTorch.
    const Tensor places = Tensor::empty(stretch, gradient.dtype());
    Aux<ViewBackward> none;
    ViewBackward::run({.shape = stretch, .part = own}, places, none, Tensor::ones(own.shape, gradient.dtype()));
    whole = whole / places.maximum(Tensor::ones({}, gradient.dtype()));
  }
  return {apply<AsStrided>({.part = own, .x_strides = whole.strides()}, whole)};
}

Result ViewBackward::infer(const Attributes& attributes, const Tensor& x) {
  check_floating(name, x);
  const Geometry& part = attributes.part;
  const std::int64_t numel = attributes.shape.numel();
  if (!(x.shape() == part.shape)) {
    fail("{}: {} is not the shape {} of a view of {}", name, x.shape().to_string(), part.shape.to_string(),
         attributes.shape.to_string());
  }
  std::int64_t reach = 0;
  if (x.numel() > 0 && (!reach_of(part.shape, part.strides, reach) || part.offset < 0 || reach >= numel ||
                        part.offset >= numel - reach)) {
    fail("{}: strides {} from {} on take {} out of {}", name, part.strides.to_string(), part.offset,
         part.shape.to_string(), attributes.shape.to_string());
  }
  return {attributes.shape, x.dtype(), x.device()};
}

void ViewBackward::run(const Attributes& attributes, const Tensor& out, Aux<ViewBackward>&, const Tensor& x) {
  const Kernels& device = kernels(out.device());
  if (x.numel() == 0) {
    device.fill(out, 0);
    return;
  }
  const Tensor part = look(out, attributes.part);
  if (overlaps_itself(part)) {
    device.fill(out, 0);
    add_apart(device, part, x);
  } else {
    if (x.numel() != out.numel()) device.fill(out, 0);
    device.copy(part, x);
  }
}

Gradients<1> ViewBackward::gradient(const Saved<ViewBackward>& saved, const Tensor& gradient) {
  const Tensor whole = gradient.contiguous();
  return {apply<AsStrided>({.part = saved.attributes().part, .x_strides = whole.strides()}, whole)};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  ops::check_defined("narrow", *this);
  const int normalized = normalize_dim("narrow", dim, dims());
  const std::int64_t available = shape()[normalized];
  if (start < 0 || length < 0 || start > available - length) {
    fail("narrow: {} elements from {} on reach past the {} of dimension {}", length, start, available, dim);
  }
  return apply<ops::Narrow>({.dim = normalized, .start = start, .length = length}, *this);
}

Tensor Tensor::slice(std::int64_t dim, std::int64_t start, std::int64_t stop, std::int64_t step) const {
  ops::check_defined("slice", *this);
  const int normalized = normalize_dim("slice", dim, dims());
  if (step < 1) fail("slice: step {} of {}:{}:{} is not positive", step, start, stop, step);
  const std::int64_t available = shape()[normalized];
  const auto cut = [&](std::int64_t place) {
    return std::clamp<std::int64_t>(place < 0 ? place + available : place, 0, available);
  };
  const std::int64_t first = cut(start);
  const std::int64_t end = cut(stop);
  const std::int64_t length = first < end ? (end - first - 1) / step + 1 : 0;
  return apply<ops::Slice>({.dim = normalized, .start = first, .length = length, .step = step}, *this);
}

Tensor Tensor::select(std::int64_t dim, std::int64_t index) const {
  ops::check_defined("select", *this);
  const int normalized = normalize_dim("select", dim, dims());
  const std::int64_t available = shape()[normalized];
  if (index < -available || index >= available) {
    fail("select: index {} is out of range for dimension {} of shape {}", index, dim, shape().to_string());
  }
  return apply<ops::Select>({.dim = normalized, .index = index < 0 ? index + available : index}, *this);
}

Tensor Tensor::diagonal(std::int64_t offset, std::int64_t dim0, std::int64_t dim1) const {
  ops::check_defined("diagonal", *this);
  const int first = normalize_dim("diagonal", dim0, dims());
  const int second = normalize_dim("diagonal", dim1, dims());
  if (first == second) fail("diagonal: {} and {} are one dimension of {}", dim0, dim1, shape().to_string());
  // Further out than any dimension reaches is as good as the farthest, and can be negated.
  const std::int64_t within = std::clamp<std::int64_t>(offset, -INT64_MAX, INT64_MAX);
  return apply<ops::Diagonal>({.offset = within, .dim0 = first, .dim1 = second}, *this);
}

Tensor Tensor::unfold(std::int64_t dim, std::int64_t size, std::int64_t step) const {
  ops::check_defined("unfold", *this);
  const int normalized = normalize_dim("unfold", dim, std::max(dims(), 1));
  const std::int64_t available = dims() == 0 ? 1 : shape()[normalized];
  if (size < 0 || size > available) {
    fail("unfold: no window of {} in dimension {} of shape {}", size, dim, shape().to_string());
  }
  if (step < 1) fail("unfold: step {} is not positive", step);
  return apply<ops::Unfold>({.dim = normalized, .size = size, .step = step}, *this);
}

Tensor Tensor::as_strided(const Shape& target, const Shape& target_strides, std::int64_t offset) const {
  ops::check_defined("as_strided", *this);
  const auto refuse = [&](std::string_view why) {
    fail("as_strided: shape {} with strides {} from {} on {}", target.to_string(), target_strides.to_string(),
         offset, why);
  };
  if (target.dims() != target_strides.dims()) refuse("needs one stride a dimension");
  bool empty = false;
  for (int i = 0; i < target.dims(); ++i) {
    if (target[i] < 0 || target_strides[i] < 0) refuse("has a negative number");
    empty = empty || target[i] == 0;
  }
  if (empty) return apply<ops::AsStrided>({.part = {target, target_strides}, .x_strides = strides()}, *this);
  const auto size = static_cast<std::int64_t>(size_of(dtype()));
  const Storage& storage = *impl_->storage;
  const std::int64_t before = (raw_data() - storage.data) / size;
  const std::int64_t behind = static_cast<std::int64_t>(storage.bytes) / size - before;  // this one's included
  std::int64_t reach = 0;
  if (!ops::reach_of(target, target_strides, reach) || offset < -before || offset >= behind ||
      reach >= behind - offset) {
    refuse(fmt::format("reaches out of the storage: elements {} to {} are there", -before, behind - 1));
  }
  return apply<ops::AsStrided>({.part = {target, target_strides, offset}, .x_strides = strides()}, *this);
}

}  // namespace feral
