#include "autograd/ops/cross_entropy.hpp"

#include "autograd/ops/check.hpp"
#include "autograd/ops/classification.hpp"

namespace feral::ops {
namespace {

Tensor contiguous_or_none(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

Tensor column(const Tensor& x) { return x.unsqueeze(1); }

}  // namespace

Result CrossEntropy::infer(const Attributes& settings, const Tensor& logits, const Tensor& target,
                           const Tensor& weight) {
  check_floating(name, logits);
  check_dims(name, "the input", logits, 2);
  const std::int64_t rows = logits.shape()[0];
  const std::int64_t classes = logits.shape()[1];
  if (classes == 0) fail("{}: no classes in {}", name, logits.shape().to_string());
  check_class_target(name, target, rows, classes, settings.ignore_index);
  check_class_weight(name, weight, classes, logits);
  if (!(settings.label_smoothing >= 0 && settings.label_smoothing <= 1)) {
    fail("{}: label_smoothing {} is outside of [0, 1]", name, settings.label_smoothing);
  }
  return {settings.reduction == Reduction::none ? Shape{rows} : Shape{}, logits.dtype(), logits.device()};
}

void CrossEntropy::run(const Attributes& settings, const Tensor& out, Aux<CrossEntropy>& aux, const Tensor& logits,
                       const Tensor& target, const Tensor& weight) {
  const NoGradGuard no_grad;
  const Tensor terms = Tensor::empty({2, logits.shape()[0]}, logits.dtype());
  kernels(out.device())
      .cross_entropy(out, terms, logits.contiguous(), target, contiguous_or_none(weight), settings);
  if (aux.wanted) aux[0] = terms;
}

Gradients<3> CrossEntropy::gradient(const Saved<CrossEntropy>& saved, const Tensor& gradient) {
  const CrossEntropySettings& settings = saved.attributes();
  const Tensor& logits = saved.input(0);
  const Tensor& target = saved.input(1);
  const Tensor& weight = saved.input(2);
  if (!GradMode::enabled()) {
    return {apply<CrossEntropyBackward>(settings, gradient, saved.aux(0), logits, target, weight), Tensor(),
            Tensor()};
  }
  // Row i, with p = softmax: g[i] ((1 - s) w[t] (p - onehot) + s / classes (p Σ w - w)).
  const std::int64_t classes = logits.shape()[1];
  const Tensor ignored = target.eq(Tensor::full({}, settings.ignore_index, DType::int64));
  const Tensor labels = target.masked_fill(ignored, 0);
  const Tensor all = weight.defined() ? weight : Tensor::ones({classes}, logits.dtype());
  const Tensor own = all.index_select(0, labels).masked_fill(ignored, 0);
  Tensor arriving = gradient.expand(target.shape());
  if (settings.reduction == Reduction::mean) arriving = arriving / own.sum();
  arriving = arriving.masked_fill(ignored, 0);
  const Tensor at_target = column(arriving * own * (1 - settings.label_smoothing));
  const Tensor at_each = column(arriving * (settings.label_smoothing / static_cast<double>(classes)));
  const Tensor pulled = labels.one_hot(classes).to(logits.dtype()) * at_target + at_each * all;
  return {logits.softmax(1) * (at_target + at_each * all.sum()) - pulled, Tensor(), Tensor()};
}

Result CrossEntropyBackward::infer(const Attributes& settings, const Tensor& gradient, const Tensor& terms,
                                   const Tensor& logits, const Tensor& target, const Tensor& weight) {
  const Result loss = CrossEntropy::infer(settings, logits, target, weight);
  check_same_dtype(name, gradient, logits);
  check_same_dtype(name, terms, logits);
  if (!(gradient.shape() == loss.shape) || !(terms.shape() == Shape{2, logits.shape()[0]})) {
    fail("{}: a gradient of shape {} and terms of shape {} do not fit logits of shape {}", name,
         gradient.shape().to_string(), terms.shape().to_string(), logits.shape().to_string());
  }
  return {logits.shape(), logits.dtype(), logits.device()};
}

void CrossEntropyBackward::run(const Attributes& settings, const Tensor& out, Aux<CrossEntropyBackward>&,
                               const Tensor& gradient, const Tensor& terms, const Tensor& logits,
                               const Tensor& target, const Tensor& weight) {
  const NoGradGuard no_grad;
  kernels(out.device())
      .cross_entropy_backward(out, gradient.contiguous(), terms.contiguous(), logits.contiguous(), target,
                              contiguous_or_none(weight), settings);
}

}  // namespace feral::ops
