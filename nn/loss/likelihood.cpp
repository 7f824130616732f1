#include "nn/loss/likelihood.hpp"

#include "autograd/ops/binary_cross_entropy.hpp"
#include "autograd/ops/cross_entropy.hpp"
#include "core/fail.hpp"

namespace feral::nn {
namespace {

// With a distribution for each row in the place of a class.
Tensor cross_entropy_of_probabilities(const Tensor& input, const Tensor& target,
                                      const CrossEntropyLossOptions& options) {
  constexpr std::string_view name = "cross_entropy";
  if (options.ignore_index >= 0) fail("{}: ignore_index {} is for class indices alone", name, options.ignore_index);
  if (input.dims() == 0) fail("{}: an input without dimensions has no classes", name);
  const int dim = input.dims() == 1 ? 0 : 1;
  const std::int64_t classes = input.shape()[dim];
  ops::check_class_weight(name, options.weight, classes, input);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    fail("{}: label_smoothing {} is outside of [0, 1]", name, options.label_smoothing);
  }
  Tensor shares = target;
  if (options.label_smoothing > 0) {
    shares = target * (1 - options.label_smoothing) + options.label_smoothing / static_cast<double>(classes);
  }
  Tensor terms = input.log_softmax(dim) * shares;
  if (options.weight.defined()) {
    Shape along;
    for (int i = 0; i < input.dims(); ++i) along.push_back(i == dim ? classes : 1);
    terms = terms * options.weight.reshape(along);
  }
  if (options.reduction == Reduction::none) return terms.sum(dim).neg();
  const Tensor total = terms.sum().neg();
  if (options.reduction == Reduction::sum) return total;
  return total / static_cast<double>(input.numel() / classes);
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyLossOptions& options) {
  if (input.defined() && target.defined() && is_floating(target.dtype())) {
    check_same_shape("cross_entropy", input, target);
    return cross_entropy_of_probabilities(input, target, options);
  }
  const auto [rows, labels, losses] = ops::class_rows("cross_entropy", input, target);
  const Tensor loss = apply<ops::CrossEntropy>({.ignore_index = options.ignore_index,
                                                .label_smoothing = options.label_smoothing,
                                                .reduction = options.reduction},
                                               rows, labels, options.weight);
  return options.reduction == Reduction::none && losses.dims() != 1 ? loss.reshape(losses) : loss;
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BCELossOptions& options) {
  Tensor losses = apply<ops::BinaryCrossEntropy>({}, input, target);
  if (options.weight.defined()) losses = losses * options.weight.expand(losses.shape());
  return reduce(losses, options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const BCEWithLogitsLossOptions& options) {
  check_same_shape("binary_cross_entropy_with_logits", input, target);
  // (1 - t) x - (1 + (p - 1) t) log sigmoid(x), p = pos_weight.
  Tensor log = input.logsigmoid();
  if (options.pos_weight.defined()) log = log * (1 + target * (options.pos_weight - 1).expand(input.shape()));
  Tensor losses = input - input * target - log;
  if (options.weight.defined()) losses = losses * options.weight.expand(losses.shape());
  return reduce(losses, options.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivLossOptions& options) {
  check_same_shape("kl_div", input, target);
  const Tensor losses =
      options.log_target ? target.exp() * (target - input) : target.xlogy(target) - target * input;
  switch (options.reduction) {
    case KLDivReduction::none:
      return losses;
    case KLDivReduction::mean:
      return losses.mean();
    case KLDivReduction::sum:
      return losses.sum();
    case KLDivReduction::batchmean:
      if (losses.dims() == 0) fail("kl_div: no batch in a tensor without dimensions");
      return losses.sum() / static_cast<double>(losses.shape()[0]);
  }
  __builtin_unreachable();
}

}  // namespace feral::nn
