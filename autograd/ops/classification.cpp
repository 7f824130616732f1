#include "autograd/ops/classification.hpp"

#include <algorithm>

#include "autograd/ops/check.hpp"
#include "autograd/ops/softmax.hpp"

namespace feral::ops {
void check_class_target(std::string_view op, const Tensor& target, std::int64_t rows, std::int64_t classes,
                        std::int64_t ignored) {
  check_defined(op, target);
  if (target.dtype() != DType::int64 || !(target.shape() == Shape{rows}) || !target.is_contiguous()) {
    fail("{}: the target must be contiguous int64 [{}], got {}", op, rows, target.to_string());
  }
  const std::int64_t* labels = target.data<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    if ((labels[i] < 0 || labels[i] >= classes) && labels[i] != ignored) {
      fail("{}: target {} at position {} is outside of [0, {})", op, labels[i], i, classes);
    }
  }
}

void check_class_weight(std::string_view op, const Tensor& weight, std::int64_t classes, const Tensor& x) {
  if (!weight.defined()) return;
  check_same_dtype(op, x, weight);
  if (!(weight.shape() == Shape{classes})) {
    fail("{}: a weight of shape {} does not fit {} classes", op, weight.shape().to_string(), classes);
  }
  if (weight.requires_grad()) fail("{}: the weight has no gradient; detach() it", op);
}

ClassRows class_rows(std::string_view op, const Tensor& x, const Tensor& target) {
  check_floating(op, x);
  check_defined(op, target);
  if (x.dims() == 0) fail("{}: an input without dimensions has no classes", op);
  Shape losses;
  for (int i = 0; x.dims() > 1 && i < x.dims(); ++i) {
    if (i != 1) losses.push_back(x.shape()[i]);
  }
  if (target.dtype() != DType::int64 || !(target.shape() == losses)) {
    fail("{}: the target of an input of shape {} must be int64 {}, got {}", op, x.shape().to_string(),
         losses.to_string(), target.to_string());
  }
  if (x.dims() == 2) return {x, target.contiguous(), losses};
  const std::int64_t classes = x.shape()[x.dims() == 1 ? 0 : 1];
  const Tensor lines = x.dims() == 1 ? x : x.movedim(1, -1);
  return {lines.reshape({losses.numel(), classes}), target.reshape({losses.numel()}).contiguous(), losses};
}

Result NllLoss::infer(const Attributes&, const Tensor& x, const Tensor& target) {
  check_floating(name, x);
  check_dims(name, "the input", x, 2);
  if (x.shape()[0] == 0) fail("{}: an empty batch has no mean", name);
  check_class_target(name, target, x.shape()[0], x.shape()[1]);
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
  check_class_target(name, target, target.shape()[0], attributes.classes);
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

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NLLLossOptions& options) {
  constexpr std::string_view name = ops::NllLoss::name;
  const auto [x, labels, losses] = ops::class_rows(name, log_probabilities, target);
  const std::int64_t classes = x.shape()[1];
  ops::check_class_target(name, labels, losses.numel(), classes, options.ignore_index);
  ops::check_class_weight(name, options.weight, classes, x);
  const std::int64_t* label = labels.data<std::int64_t>();
  const bool ignores = std::find(label, label + labels.numel(), options.ignore_index) != label + labels.numel();
  if (!ignores && !options.weight.defined() && options.reduction == Reduction::mean) {
    return apply<ops::NllLoss>({}, x, labels);
  }
  Tensor ignored;
  Tensor places = labels;
  if (ignores) {
    ignored = labels.eq(options.ignore_index);
    places = labels.masked_fill(ignored, 0);
  }
  Tensor loss = x.gather(1, places.unsqueeze(1)).squeeze({1}).neg();
  Tensor weights = options.weight.defined() ? options.weight.index_select(0, places) : Tensor();
  // Filled in, not multiplied by 0: what is ignored may be infinite.
  if (ignores) {
    loss = loss.masked_fill(ignored, 0);
    weights = weights.defined() ? weights.masked_fill(ignored, 0) : ignored.logical_not().to(x.dtype());
  }
  if (options.weight.defined()) loss = loss * weights;
  switch (options.reduction) {
    case Reduction::none:
      return loss.reshape(losses);
    case Reduction::sum:
      return loss.sum();
    case Reduction::mean:
      return weights.defined() ? loss.sum() / weights.sum() : loss.mean();
  }
  __builtin_unreachable();
}

}  // namespace feral
