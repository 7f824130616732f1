#include "autograd/ops/dropout.hpp"

#include <algorithm>

#include "autograd/ops/check.hpp"

namespace feral::ops {

Result Dropout::infer(const Attributes& draw, const Tensor& x) {
  check_floating(name, x);
  if (!(draw.probability >= 0 && draw.probability <= 1)) {
    fail("{}: probability {} is outside of [0, 1]", name, draw.probability);
  }
  return {x.shape(), x.dtype(), x.device()};
}

void Dropout::run(const Attributes& draw, const Tensor& out, Aux<Dropout>&, const Tensor& x) {
  const NoGradGuard no_grad;
  kernels(out.device()).dropout(out, x.contiguous(), draw);
}

Gradients<1> Dropout::gradient(const Saved<Dropout>& saved, const Tensor& gradient) {
  return {apply<Dropout>(saved.attributes(), gradient)};
}

namespace {

Tensor drop(const Tensor& x, double probability, bool training, std::int64_t group, Generator& generator) {
  if (!training || probability == 0) return x;
  const DropoutDraw draw{.probability = static_cast<float>(probability),
                         .group = group,
                         .position = {generator.seed(), generator.stream(), generator.next_block()}};
  const Tensor result = apply<Dropout>(draw, x);
  // Not before: a call that is refused takes no numbers from the generator.
  generator.reserve(static_cast<std::uint64_t>(x.numel() / group));
  return result;
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor dropout(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_defined("dropout", x);
  return ops::drop(x, probability, training, 1, generator);
}

Tensor dropout2d(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_dims("dropout2d", "the input", x, 4);
  // Planes without elements are no group to divide by.
  return ops::drop(x, probability, training, std::max<std::int64_t>(x.shape()[2] * x.shape()[3], 1), generator);
}

}  // namespace feral
