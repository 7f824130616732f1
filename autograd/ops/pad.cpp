#include "autograd/ops/pad.hpp"

#include <algorithm>

#include "autograd/ops/check.hpp"
#include "autograd/ops/join.hpp"
#include "autograd/ops/view.hpp"
#include "tensor/kernels.hpp"

namespace feral::ops {
namespace {

// What one dimension gets.
struct Margin {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

// x with margins taken from its own elements along `dim`.
Tensor extend(const Tensor& x, int dim, const Margin& margin, PadMode mode) {
  const std::int64_t size = x.shape()[dim];
  const std::int64_t before = std::max<std::int64_t>(margin.before, 0);
  const std::int64_t after = std::max<std::int64_t>(margin.after, 0);
  if (before == 0 && after == 0) return x;
  const auto edge = [&](std::int64_t position, std::int64_t length) {
    Shape shape = x.shape();
    shape[dim] = length;
    return x.narrow(dim, position, 1).expand(shape);
  };
  switch (mode) {
    case PadMode::reflect:
      return cat({x.narrow(dim, before > 0 ? 1 : 0, before).flip(dim), x,
                  x.narrow(dim, after > 0 ? size - 1 - after : 0, after).flip(dim)},
                 dim);
    case PadMode::circular:
      return cat({x.narrow(dim, size - before, before), x, x.narrow(dim, 0, after)}, dim);
    default:
      return cat({edge(0, before), x, edge(size - 1, after)}, dim);
  }
}

void check_reach(int dim, const Tensor& x, const Margin& margin, PadMode mode) {
  const std::int64_t size = x.shape()[dim];
  const std::int64_t reach = std::max(margin.before, margin.after);
  if (reach <= 0 || mode == PadMode::constant) return;
  const std::int64_t limit = mode == PadMode::reflect ? size - 1 : size;
  if (size == 0 || (mode != PadMode::replicate && reach > limit)) {
    fail("pad: margins {} and {} do not fit dimension {} of {}: at most {} elements can be taken from it",
         margin.before, margin.after, dim, x.shape().to_string(), std::max<std::int64_t>(limit, 0));
  }
}

}  // namespace

Result Pad::infer(const Attributes& attributes, const Tensor& x) {
  check_defined(name, x);
  Shape shape = x.shape();
  for (int i = 0; i < shape.dims(); ++i) {
    if (__builtin_add_overflow(shape[i], attributes.before[i], &shape[i]) ||
        __builtin_add_overflow(shape[i], attributes.after[i], &shape[i])) {
      fail("{}: margins {} and {} make dimension {} of {} too large", name, attributes.before[i],
           attributes.after[i], i, x.shape().to_string());
    }
  }
  return {shape, x.dtype(), x.device()};
}

void Pad::run(const Attributes& attributes, const Tensor& out, Aux<Pad>&, const Tensor& x) {
  const Kernels& device = kernels(out.device());
  device.fill(out, attributes.value);
  if (x.numel() == 0) return;
  std::int64_t offset = 0;
  for (int i = 0; i < x.dims(); ++i) offset += attributes.before[i] * out.strides()[i];
  device.copy(look(out, {x.shape(), out.strides(), offset}), x);
}

Gradients<1> Pad::gradient(const Saved<Pad>& saved, const Tensor& gradient) {
  Tensor inner = gradient;
  for (int i = 0; i < gradient.dims(); ++i) {
    const std::int64_t size = saved.input_shape(0)[i];
    if (size != inner.shape()[i]) inner = inner.narrow(i, saved.attributes().before[i], size);
  }
  return {inner};
}

}  // namespace feral::ops

namespace feral {

Tensor pad(const Tensor& x, std::span<const std::int64_t> margins, PadMode mode, double value) {
  ops::check_defined("pad", x);
  if (margins.size() % 2 != 0 || margins.size() / 2 > static_cast<std::size_t>(x.dims())) {
    fail("pad: {} margins for shape {}: two are wanted for each of the last dimensions", margins.size(),
         x.shape().to_string());
  }
  const int count = static_cast<int>(margins.size() / 2);
  ops::Margin margin[Shape::max_dims];  // of each dimension of x
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(2 * i);
    const int dim = x.dims() - 1 - i;
    margin[dim] = {margins[at], margins[at + 1]};
    std::int64_t left = x.shape()[dim];
    const bool overflows =
        __builtin_add_overflow(left, margins[at], &left) || __builtin_add_overflow(left, margins[at + 1], &left);
    if (overflows || left < 0) {
      fail("pad: margins {} and {} leave dimension {} of {} no possible size", margins[at], margins[at + 1], dim,
           x.shape().to_string());
    }
    ops::check_reach(dim, x, margin[dim], mode);
  }

  Tensor result = x;
  if (mode != PadMode::constant) {
    for (int dim = x.dims() - 1; dim >= 0; --dim) result = ops::extend(result, dim, margin[dim], mode);
  } else {
    Shape before = x.shape();
    Shape after = x.shape();
    bool grows = false;
    for (int dim = 0; dim < x.dims(); ++dim) {
      before[dim] = std::max<std::int64_t>(margin[dim].before, 0);
      after[dim] = std::max<std::int64_t>(margin[dim].after, 0);
      grows = grows || before[dim] > 0 || after[dim] > 0;
    }
    if (grows) result = apply<ops::Pad>({.before = before, .after = after, .value = value}, x);
  }
  // Negative margins: they may reach into what a positive one on the other side has added.
  for (int dim = 0; dim < x.dims(); ++dim) {
    const std::int64_t start = std::max<std::int64_t>(-margin[dim].before, 0);
    const std::int64_t end = std::max<std::int64_t>(-margin[dim].after, 0);
    if (start + end > 0) result = result.narrow(dim, start, result.shape()[dim] - start - end);
  }
  return result.impl()->storage == x.impl()->storage ? result.clone() : result.contiguous();
}

}  // namespace feral
