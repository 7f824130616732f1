#include "autograd/ops/view.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "autograd/ops/check.hpp"
#include "tensor/view_of.hpp"

namespace feral::ops {
namespace {

// The strides with which x's memory has `shape`, or nothing. NumPy's rule: walk both shapes from the end in groups
// of equal size; a group of x must be laid out without gaps.
std::optional<Shape> view_strides(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous()) return shape.contiguous_strides();
  Shape strides = shape;
  int source = x.dims() - 1;
  int target = shape.dims() - 1;
  while (target >= 0) {
    while (source >= 0 && x.shape()[source] == 1) --source;
    if (source < 0) {  // only sizes of 1 are left
      for (; target >= 0; --target) strides[target] = 1;
      break;
    }
    std::int64_t source_size = x.shape()[source];
    std::int64_t reach = x.strides()[source] * source_size;  // the stride that continues the group
    std::int64_t target_size = 1;
    std::int64_t next = x.strides()[source];
    while (target >= 0 && target_size < source_size) {
      strides[target] = next;
      next *= shape[target];
      target_size *= shape[target];
      --target;
      while (target_size > source_size && source > 0) {  // the group of x grows by its next dimension
        --source;
        if (x.shape()[source] == 1) continue;
        if (x.strides()[source] != reach) return std::nullopt;
        source_size *= x.shape()[source];
        reach *= x.shape()[source];
      }
    }
    if (target_size != source_size) return std::nullopt;
    --source;
  }
  return strides;
}

// `target` with its -1, if it has one, filled in so that it has as many elements as `source`.
Shape completed(std::string_view op, const Shape& source, const Shape& target) {
  const std::int64_t numel = source.numel();
  const auto refuse = [&] {
    fail("{}: shape {} with {} elements does not fit {}", op, source.to_string(), numel, target.to_string());
  };
  Shape result = target;
  int unknown = -1;
  std::int64_t known = 1;
  for (int i = 0; i < target.dims(); ++i) {
    if (target[i] < -1) fail("{}: negative size in {}", op, target.to_string());
    if (target[i] != -1) {
      if (__builtin_mul_overflow(known, target[i], &known)) refuse();
    } else if (unknown >= 0) {
      fail("{}: more than one -1 in {}", op, target.to_string());
    } else {
      unknown = i;
    }
  }
  if (unknown >= 0) {
    if (known == 0 || numel % known != 0) refuse();
    result[unknown] = numel / known;
  }
  if (result.numel() != numel) {
    fail("{}: shape {} has {} elements, {} has {}", op, source.to_string(), numel, target.to_string(),
         result.numel());
  }
  return result;
}

}  // namespace

Tensor look(const Tensor& x, const Geometry& geometry) {
  return view_of(x, geometry.shape, geometry.strides, geometry.offset);
}

Tensor View::view(const Attributes& attributes, const Tensor& x) {
  return look(x, {attributes.shape, attributes.strides});
}

Gradients<1> View::gradient(const Saved<View>& saved, const Tensor& gradient) {
  return {gradient.reshape(saved.input_shape(0))};
}

Tensor Transpose::view(const Attributes& attributes, const Tensor& x) {
  Geometry turned{x.shape(), x.strides()};
  std::swap(turned.shape[attributes.dim0], turned.shape[attributes.dim1]);
  std::swap(turned.strides[attributes.dim0], turned.strides[attributes.dim1]);
  return look(x, turned);
}

Gradients<1> Transpose::gradient(const Saved<Transpose>& saved, const Tensor& gradient) {
  return {gradient.transpose(saved.attributes().dim0, saved.attributes().dim1)};
}

Tensor Permute::view(const Attributes& attributes, const Tensor& x) {
  Geometry turned{x.shape(), x.strides()};
  for (int i = 0; i < x.dims(); ++i) {
    const int from = static_cast<int>(attributes.order[i]);
    turned.shape[i] = x.shape()[from];
    turned.strides[i] = x.strides()[from];
  }
  return look(x, turned);
}

Gradients<1> Permute::gradient(const Saved<Permute>& saved, const Tensor& gradient) {
  const Shape& order = saved.attributes().order;
  Shape back = order;
  for (int i = 0; i < order.dims(); ++i) back[static_cast<int>(order[i])] = i;
  return {apply<Permute>({.order = back}, gradient)};
}

Tensor Expand::view(const Attributes& attributes, const Tensor& x) {
  const Shape& shape = attributes.shape;
  const int lead = shape.dims() - x.dims();
  if (lead < 0 || !(broadcast_shapes(name, x.shape(), shape) == shape)) {
    fail("{}: shape {} does not broadcast to {}", name, x.shape().to_string(), shape.to_string());
  }
  Geometry wide{shape, shape};
  for (int i = 0; i < shape.dims(); ++i) {
    wide.strides[i] = i < lead || x.shape()[i - lead] != shape[i] ? 0 : x.strides()[i - lead];
  }
  return look(x, wide);
}

Gradients<1> Expand::gradient(const Saved<Expand>& saved, const Tensor& gradient) {
  return {gradient.sum_to(saved.input_shape(0))};
}

}  // namespace feral::ops

namespace feral {

Tensor Tensor::reshape(const Shape& target) const {
  ops::check_defined("reshape", *this);
  const Shape complete = ops::completed("reshape", shape(), target);
  if (complete == shape()) return *this;
  if (const auto strides = ops::view_strides(*this, complete)) {
    return apply<ops::View>({.shape = complete, .strides = *strides}, *this);
  }
  return apply<ops::View>({.shape = complete, .strides = complete.contiguous_strides()}, clone());
}

Tensor Tensor::view(const Shape& target) const {
  ops::check_defined("view", *this);
  const Shape complete = ops::completed("view", shape(), target);
  if (complete == shape()) return *this;
  const auto strides = ops::view_strides(*this, complete);
  if (!strides) {
    fail("view: shape {} with strides {} has no view of shape {}; use reshape()", shape().to_string(),
         this->strides().to_string(), complete.to_string());
  }
  return apply<ops::View>({.shape = complete, .strides = *strides}, *this);
}

Tensor Tensor::flatten(std::int64_t start_dim) const { return flatten(start_dim, -1); }

Tensor Tensor::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
  ops::check_defined("flatten", *this);
  const int start = normalize_dim("flatten", start_dim, std::max(dims(), 1));
  const int end = normalize_dim("flatten", end_dim, std::max(dims(), 1));
  if (start > end) fail("flatten: start {} comes after end {}", start_dim, end_dim);
  Shape target;
  std::int64_t merged = 1;
  for (int i = 0; i < dims(); ++i) {
    if (i < start || i > end) {
      target.push_back(shape()[i]);
      continue;
    }
    merged *= shape()[i];
    if (i == end) target.push_back(merged);
  }
  if (dims() == 0) target.push_back(1);
  return reshape(target);
}

Tensor Tensor::unflatten(std::int64_t dim, const Shape& sizes) const {
  ops::check_defined("unflatten", *this);
  const int split = normalize_dim("unflatten", dim, dims());
  if (sizes.dims() == 0) fail("unflatten: no sizes for dimension {} of {}", dim, shape().to_string());
  const Shape complete = ops::completed("unflatten", Shape{shape()[split]}, sizes);
  Shape target;
  for (int i = 0; i < dims(); ++i) {
    if (i != split) {
      target.push_back(shape()[i]);
    } else {
      for (const std::int64_t size : complete) target.push_back(size);
    }
  }
  return reshape(target);
}

Tensor Tensor::transpose(std::int64_t dim0, std::int64_t dim1) const {
  ops::check_defined("transpose", *this);
  const int first = normalize_dim("transpose", dim0, std::max(dims(), 1));
  const int second = normalize_dim("transpose", dim1, std::max(dims(), 1));
  return dims() == 0 ? *this : apply<ops::Transpose>({.dim0 = first, .dim1 = second}, *this);
}

Tensor Tensor::t() const {
  ops::check_defined("t", *this);
  if (dims() > 2) fail("t: expected at most 2 dimensions, got shape {}", shape().to_string());
  return dims() < 2 ? *this : apply<ops::Transpose>({.dim0 = 0, .dim1 = 1}, *this);
}

Tensor Tensor::permute(const Dims& order) const {
  ops::check_defined("permute", *this);
  bool named[Shape::max_dims] = {};
  Shape normalized;
  for (const std::int64_t dim : order) {
    const int from = normalize_dim("permute", dim, dims());
    if (named[from]) fail("permute: dimension {} is named twice in {}", dim, order.to_string());
    named[from] = true;
    normalized.push_back(from);
  }
  if (normalized.dims() != dims()) {
    fail("permute: {} does not name every dimension of shape {}", order.to_string(), shape().to_string());
  }
  return apply<ops::Permute>({.order = normalized}, *this);
}

Tensor Tensor::movedim(std::int64_t from, std::int64_t to) const {
  ops::check_defined("movedim", *this);
  const int source = normalize_dim("movedim", from, std::max(dims(), 1));
  const int target = normalize_dim("movedim", to, std::max(dims(), 1));
  Shape order;
  for (int i = 0, next = 0; i < dims(); ++i) {
    if (next == source) ++next;
    order.push_back(i == target ? source : next++);
  }
  return apply<ops::Permute>({.order = order}, *this);
}

Tensor Tensor::squeeze() const {
  ops::check_defined("squeeze", *this);
  ops::Geometry kept;
  for (int i = 0; i < dims(); ++i) {
    if (shape()[i] == 1) continue;
    kept.shape.push_back(shape()[i]);
    kept.strides.push_back(strides()[i]);
  }
  if (kept.shape.dims() == dims()) return *this;
  return apply<ops::View>({.shape = kept.shape, .strides = kept.strides}, *this);
}

Tensor Tensor::squeeze(const Dims& named) const {
  ops::check_defined("squeeze", *this);
  bool dropped[Shape::max_dims] = {};
  for (const std::int64_t dim : named) {
    const int normalized = normalize_dim("squeeze", dim, std::max(dims(), 1));
    if (dropped[normalized]) fail("squeeze: dimension {} is named twice in {}", dim, named.to_string());
    dropped[normalized] = true;
  }
  ops::Geometry kept;
  for (int i = 0; i < dims(); ++i) {
    if (dropped[i] && shape()[i] == 1) continue;  // others keep their size, as in PyTorch
    kept.shape.push_back(shape()[i]);
    kept.strides.push_back(strides()[i]);
  }
  if (kept.shape.dims() == dims()) return *this;
  return apply<ops::View>({.shape = kept.shape, .strides = kept.strides}, *this);
}

Tensor Tensor::unsqueeze(std::int64_t dim) const {
  ops::check_defined("unsqueeze", *this);
  if (dims() == Shape::max_dims) {
    fail("unsqueeze: shape {} has {} dimensions, as many as there may be", shape().to_string(), dims());
  }
  const int place = normalize_dim("unsqueeze", dim, dims() + 1);
  ops::Geometry wide;
  for (int i = 0; i <= dims(); ++i) {
    if (i == place) {
      wide.shape.push_back(1);
      wide.strides.push_back(i < dims() ? shape()[i] * strides()[i] : 1);
    }
    if (i == dims()) break;
    wide.shape.push_back(shape()[i]);
    wide.strides.push_back(strides()[i]);
  }
  return apply<ops::View>({.shape = wide.shape, .strides = wide.strides}, *this);
}

Tensor Tensor::expand(const Shape& target) const {
  ops::check_defined("expand", *this);
  if (shape() == target) return *this;
  Shape complete = target;
  for (int i = 0; i < target.dims(); ++i) {  // -1 keeps a size
    if (target[i] >= 0) continue;
    const int own = i - (target.dims() - dims());
    if (target[i] != -1 || own < 0) {
      fail("expand: size {} of {} stands for no size of {}", target[i], target.to_string(), shape().to_string());
    }
    complete[i] = shape()[own];
  }
  return apply<ops::Expand>({.shape = complete}, *this);
}

}  // namespace feral
