#include "autograd/ops/classification.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/softmax.hpp"

namespace feral::ops {
namespace {

void check_target(std::string_view op, const Tensor& target, std::int64_t rows, std::int64_t classes) {
  check_defined(op, target);
  if (target.dtype() != DType::int64 || !(target.shape() == Shape{rows}) || !target.is_contiguous()) {
    fail("{}: the target must be contiguous int64 [{}], got {}", op, rows, target.to_string());
  }
  const std::int64_t* labels = target.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      fail("{}: target {} at position {} is outside of [0, {})", op, labels[i], i, classes);
    }
  }
}

}  // namespace

Result NllLoss::infer(const Attributes&, const Tensor& x, const Tensor& target) {
  check_floating(name, x);
  check_dims(name, "the input", x, 2);
  if (x.shape()[0] == 0) fail("{}: an empty batch has no mean", name);
  check_target(name, target, x.shape()[0], x.shape()[1]);
  return {{}, x.dtype(), x.device()};
}

void NllLoss::run(const Attributes&, const Tensor& out, Aux<NllLoss>&, const Tensor& x, const Tensor& target) {
  const NoGradGuard no_grad;
  kernels(out.device()).nll_loss(out, x.contiguous(), target);
}

Gradients<2> NllLoss::gradient(const Saved<NllLoss>& saved, const Tensor& gradient) {
  return {apply<NllLossScatter>({.classes = saved.input_shape(0)[1]}, gradient, saved.input(1)), Tensor()};
}

Result NllLossScatter::infer(const Attributes& attributes, const Tensor& gradient, const Tensor& target) {
  check_floating(name, gradient);
  check_dims(name, "the gradient", gradient, 0);
  check_dims(name, "the target", target, 1);
  check_target(name, target, target.shape()[0], attributes.classes);
  return {{target.shape()[0], attributes.classes}, gradient.dtype(), gradient.device()};
}

void NllLossScatter::run(const Attributes&, const Tensor& out, Aux<NllLossScatter>&, const Tensor& gradient,
                         const Tensor& target) {
  kernels(out.device()).nll_loss_scatter(out, gradient, target);
}

Gradients<2> NllLossScatter::gradient(const Saved<NllLossScatter>& saved, const Tensor& gradient) {
  return {nll_loss(gradient, saved.input(1)), Tensor()};
}

}  // namespace feral::ops

namespace feral {

Tensor log_softmax(const Tensor& x) {
  constexpr std::string_view name = ops::LogSoftmax::name;
  ops::check_floating(name, x);
  ops::check_dims(name, "the input", x, 2);
  if (x.shape()[1] == 0) fail("{}: no classes in {}", name, x.shape().to_string());
  return apply<ops::LogSoftmax>({.dim = 1}, x);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target) {
  return apply<ops::NllLoss>({}, log_probabilities, target.defined() ? target.contiguous() : target);
}

}  // namespace feral
