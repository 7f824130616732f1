#include "nn/loss/margin.hpp"

#include "autograd/ops/choice.hpp"
#include "autograd/ops/classification.hpp"
#include "core/fail.hpp"
#include "nn/distance.hpp"

namespace feral::nn {

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, const HingeEmbeddingLossOptions& options) {
  check_same_shape("hinge_embedding_loss", input, target);
  // As PyTorch: another number than 1 and -1 counts as both.
  const Tensor apart = (options.margin - input).clamp_min(0).masked_fill(target.eq(1), 0);
  const Tensor close = input.masked_fill(target.eq(-1), 0);
  return reduce(apart + close, options.reduction);
}

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginLossOptions& options) {
  constexpr std::string_view name = "multi_margin_loss";
  if (options.p != 1 && options.p != 2) fail("{}: p is {}, not 1 or 2", name, options.p);
  const auto [rows, labels, losses] = ops::class_rows(name, input, target);
  if (input.dims() > 2) fail("{}: an input of shape {} has too many dimensions", name, input.shape().to_string());
  const std::int64_t classes = rows.shape()[1];
  ops::check_class_target(name, labels, rows.shape()[0], classes);
  ops::check_class_weight(name, options.weight, classes, input);
  const Tensor places = labels.unsqueeze(1);
  Tensor over = (options.margin - rows.gather(1, places) + rows).clamp_min(0);
  if (options.p == 2) over = over.square();
  Tensor loss = over.scatter(1, places, 0).sum(1) / static_cast<double>(classes);
  if (options.weight.defined()) loss = loss * options.weight.index_select(0, labels);
  return reduce(loss.reshape(losses), options.reduction);
}

Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  constexpr std::string_view name = "multilabel_margin_loss";
  check_same_shape(name, input, target);
  if (target.dtype() != DType::int64) fail("{}: the target must be int64, got {}", name, target.to_string());
  if (input.dims() != 1 && input.dims() != 2) {
    fail("{}: expected [n, classes] or [classes], got shape {}", name, input.shape().to_string());
  }
  const Tensor x = input.dims() == 1 ? input.unsqueeze(0) : input;
  const std::int64_t rows = x.shape()[0];
  const std::int64_t classes = x.shape()[1];
  const Tensor named = target.contiguous();                                 // [rows, classes]
  const Tensor places = Tensor::zeros({rows, classes}, DType::int64);       // named ones, or 0
  const Tensor counts = Tensor::zeros({rows, classes, 1}, DType::boolean);  // whether they are
  const Tensor others = Tensor::ones({rows, 1, classes}, DType::boolean);   // classes that none of them is
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < classes; ++k) {
      const std::int64_t label = named.data<std::int64_t>()[i * classes + k];
      if (label == -1) break;
      if (label < 0 || label >= classes)
        fail("{}: target {} of row {} is outside of [0, {})", name, label, i, classes);
      places.data<std::int64_t>()[i * classes + k] = label;
      counts.data<bool>()[i * classes + k] = true;
      others.data<bool>()[i * classes + label] = false;
    }
  }
  const Tensor over =
      (1 - x.gather(1, places).unsqueeze(2) + x.unsqueeze(1)).clamp_min(0);  // [rows, named, others]
  const Tensor pairs = counts.logical_and(others);
  const Tensor loss = over.masked_fill(pairs.logical_not(), 0).sum({1, 2}) / static_cast<double>(classes);
  return reduce(input.dims() == 1 ? loss.squeeze() : loss, options.reduction);
}

Tensor soft_margin_loss(const Tensor& input, const Tensor& target, const LossOptions& options) {
  check_same_shape("soft_margin_loss", input, target);
  return reduce((target * input).neg().softplus(), options.reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target,
                                   const MultiLabelSoftMarginLossOptions& options) {
  constexpr std::string_view name = "multilabel_soft_margin_loss";
  check_same_shape(name, input, target);
  if (input.dims() == 0) fail("{}: an input without dimensions has no classes", name);
  // log sigmoid(-x) = log sigmoid(x) - x.
  Tensor losses = input - input * target - input.logsigmoid();
  if (options.weight.defined()) losses = losses * options.weight.expand(losses.shape());
  return reduce(losses.mean(-1), options.reduction);
}

Tensor margin_ranking_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                           const MarginRankingLossOptions& options) {
  check_same_shape("margin_ranking_loss", first, second);
  check_same_shape("margin_ranking_loss", first, target);
  return reduce((target * (second - first) + options.margin).clamp_min(0), options.reduction);
}

Tensor cosine_embedding_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                             const CosineEmbeddingLossOptions& options) {
  constexpr std::string_view name = "cosine_embedding_loss";
  check_same_shape(name, first, second);
  if (!target.defined()) fail("{}: the target is undefined", name);
  const bool fits =
      first.dims() == 2 ? target.shape() == Shape{first.shape()[0]} : first.dims() == 1 && target.dims() == 0;
  if (!fits) {
    fail("{}: a target of shape {} does not fit inputs of shape {}", name, target.shape().to_string(),
         first.shape().to_string());
  }
  constexpr double least = 1e-12;  // PyTorch's, beside each squared length
  const Tensor lengths = (first.square().sum(-1) + least) * (second.square().sum(-1) + least);
  const Tensor cosine = (first * second).sum(-1) * lengths.rsqrt();
  const Tensor close = (1 - cosine).masked_fill(target.ne(1), 0);
  const Tensor apart = (cosine - options.margin).clamp_min(0).masked_fill(target.ne(-1), 0);
  return reduce(close + apart, options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options) {
  constexpr std::string_view name = "triplet_margin_loss";
  check_same_shape(name, anchor, positive);
  check_same_shape(name, anchor, negative);
  if (!(options.margin > 0)) fail("{}: margin {} is not above 0", name, options.margin);
  const PairwiseDistanceOptions distance = {.p = options.p, .eps = options.eps};
  Tensor far = pairwise_distance(anchor, negative, distance);
  if (options.swap) far = far.minimum(pairwise_distance(positive, negative, distance));
  return reduce((pairwise_distance(anchor, positive, distance) - far + options.margin).clamp_min(0),
                options.reduction);
}

}  // namespace feral::nn
