#include "autograd/ops/dropout.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops/check.hpp"

namespace feral::ops {

namespace {

void check_probability(std::string_view op, double probability) {
  if (!(probability >= 0 && probability <= 1)) fail("{}: probability {} is outside of [0, 1]", op, probability);
}

}  // namespace

Result Dropout::infer(const Attributes& draw, const Tensor& x) {
  check_floating(name, x);
  check_probability(name, static_cast<double>(draw.probability));
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

// Groups are whole channels of `spatial` dimensions each.
Tensor drop_channels(const Tensor& x, double probability, bool training, int spatial, Generator& generator) {
  std::int64_t group = 1;
  for (int i = x.dims() - spatial; i < x.dims(); ++i) group *= x.shape()[i];
  // Channels without elements are no group to divide by.
  return drop(x, probability, training, std::max<std::int64_t>(group, 1), generator);
}

// With a draw for each element of a tensor of shape `draws`, which broadcasts to x.
Tensor alpha_drop(std::string_view op, const Tensor& x, double probability, bool training, const Shape& draws,
                  Generator& generator) {
  check_floating(op, x);
  check_probability(op, probability);
  if (!training || probability == 0) return x;
  if (probability == 1) return x * 0;
  constexpr double saturated = -1.7580993408473766;  // selu(-infinity)
  const double scale = 1 / std::sqrt((1 + probability * saturated * saturated) * (1 - probability));
  const double shift = -scale * saturated * probability;
  const Tensor kept = Tensor::empty(draws, x.dtype()).bernoulli_(1 - probability, &generator);
  // kept: scale * x + shift; dropped: scale * saturated + shift.
  return x * kept.affine(scale, 0) + kept.affine(-scale * saturated, scale * saturated + shift);
}

}  // namespace
}  // namespace feral::ops

namespace feral {

Tensor dropout(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_defined("dropout", x);
  return ops::drop(x, probability, training, 1, generator);
}

Tensor dropout1d(const Tensor& x, double probability, bool training, Generator& generator) {
  if (x.defined() && x.dims() != 2) ops::check_dims("dropout1d", "the input", x, 3);
  ops::check_defined("dropout1d", x);
  return ops::drop_channels(x, probability, training, 1, generator);
}

Tensor dropout2d(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_dims("dropout2d", "the input", x, 4);
  return ops::drop_channels(x, probability, training, 2, generator);
}

Tensor dropout3d(const Tensor& x, double probability, bool training, Generator& generator) {
  if (x.defined() && x.dims() != 4) ops::check_dims("dropout3d", "the input", x, 5);
  ops::check_defined("dropout3d", x);
  return ops::drop_channels(x, probability, training, 3, generator);
}

Tensor alpha_dropout(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_defined("alpha_dropout", x);
  return ops::alpha_drop("alpha_dropout", x, probability, training, x.shape(), generator);
}

Tensor feature_alpha_dropout(const Tensor& x, double probability, bool training, Generator& generator) {
  ops::check_defined("feature_alpha_dropout", x);
  if (x.dims() < 2) {
    fail("feature_alpha_dropout: expected [n, channels, ...], got shape {}", x.shape().to_string());
  }
  Shape draws;
  for (int i = 0; i < x.dims(); ++i) draws.push_back(i < 2 ? x.shape()[i] : 1);
  return ops::alpha_drop("feature_alpha_dropout", x, probability, training, draws, generator);
}

}  // namespace feral
