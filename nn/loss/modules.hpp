// Losses as modules: options at construction, forward(input, target). Weights are buffers, as in PyTorch: they
// follow to() and stand in state_dict().
#pragma once

#include "nn/loss/ctc.hpp"
#include "nn/loss/likelihood.hpp"
#include "nn/loss/margin.hpp"
#include "nn/loss/regression.hpp"
#include "nn/module.hpp"

namespace feral::nn {

// A loss of an input and a target.
class Loss : public Module {
 public:
  using Module::forward;
  using Module::operator();
  virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;
  Tensor operator()(const Tensor& input, const Tensor& target) { return forward(input, target); }

 protected:
  // A weight of the options as a buffer; none where it is undefined.
  void register_weight(const char* name, Tensor& weight) {
    if (weight.defined()) register_buffer(name, weight);
  }
};

namespace detail {

// A loss without tensors among its options.
template <class Options, Tensor (*function)(const Tensor&, const Tensor&, const Options&)>
class PlainLoss : public Loss {
 public:
  explicit PlainLoss(const Options& options = {}) : options_(options) {}
  using Loss::forward;
  Tensor forward(const Tensor& input, const Tensor& target) override { return function(input, target, options_); }

 private:
  Options options_;
};

// One with a weight.
template <class Options, Tensor (*function)(const Tensor&, const Tensor&, const Options&)>
class WeightedLoss : public Loss {
 public:
  explicit WeightedLoss(const Options& options = {}) : options_(options) {
    register_weight("weight", options_.weight);
  }
  using Loss::forward;
  Tensor forward(const Tensor& input, const Tensor& target) override { return function(input, target, options_); }

 protected:
  Options options_;
};

}  // namespace detail

#define FERAL_LOSS(Name, base, Options, function)       \
  class Name : public detail::base<Options, function> { \
   public:                                              \
    using base::base;                                   \
  };

FERAL_LOSS(MSELoss, PlainLoss, LossOptions, mse_loss)
FERAL_LOSS(L1Loss, PlainLoss, LossOptions, l1_loss)
FERAL_LOSS(SmoothL1Loss, PlainLoss, SmoothL1LossOptions, smooth_l1_loss)
FERAL_LOSS(HuberLoss, PlainLoss, HuberLossOptions, huber_loss)
FERAL_LOSS(PoissonNLLLoss, PlainLoss, PoissonNLLLossOptions, poisson_nll_loss)
FERAL_LOSS(NLLLoss, WeightedLoss, NLLLossOptions, nll_loss)
FERAL_LOSS(CrossEntropyLoss, WeightedLoss, CrossEntropyLossOptions, cross_entropy)
FERAL_LOSS(BCELoss, WeightedLoss, BCELossOptions, binary_cross_entropy)
FERAL_LOSS(KLDivLoss, PlainLoss, KLDivLossOptions, kl_div)
FERAL_LOSS(HingeEmbeddingLoss, PlainLoss, HingeEmbeddingLossOptions, hinge_embedding_loss)
FERAL_LOSS(MultiMarginLoss, WeightedLoss, MultiMarginLossOptions, multi_margin_loss)
FERAL_LOSS(MultiLabelMarginLoss, PlainLoss, LossOptions, multilabel_margin_loss)
FERAL_LOSS(SoftMarginLoss, PlainLoss, LossOptions, soft_margin_loss)
FERAL_LOSS(MultiLabelSoftMarginLoss, WeightedLoss, MultiLabelSoftMarginLossOptions, multilabel_soft_margin_loss)

#undef FERAL_LOSS

class BCEWithLogitsLoss : public detail::WeightedLoss<BCEWithLogitsLossOptions, binary_cross_entropy_with_logits> {
 public:
  explicit BCEWithLogitsLoss(const BCEWithLogitsLossOptions& options = {}) : WeightedLoss(options) {
    register_weight("pos_weight", options_.pos_weight);
  }
};

// Losses with other inputs.

class GaussianNLLLoss : public Module {
 public:
  explicit GaussianNLLLoss(const GaussianNLLLossOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& input, const Tensor& target, const Tensor& var) {
    return gaussian_nll_loss(input, target, var, options_);
  }

 private:
  GaussianNLLLossOptions options_;
};

class MarginRankingLoss : public Module {
 public:
  explicit MarginRankingLoss(const MarginRankingLossOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& first, const Tensor& second, const Tensor& target) {
    return margin_ranking_loss(first, second, target, options_);
  }

 private:
  MarginRankingLossOptions options_;
};

class CosineEmbeddingLoss : public Module {
 public:
  explicit CosineEmbeddingLoss(const CosineEmbeddingLossOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& first, const Tensor& second, const Tensor& target) {
    return cosine_embedding_loss(first, second, target, options_);
  }

 private:
  CosineEmbeddingLossOptions options_;
};

class TripletMarginLoss : public Module {
 public:
  explicit TripletMarginLoss(const TripletMarginLossOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& anchor, const Tensor& positive, const Tensor& negative) {
    return triplet_margin_loss(anchor, positive, negative, options_);
  }

 private:
  TripletMarginLossOptions options_;
};

class CTCLoss : public Module {
 public:
  explicit CTCLoss(const CTCLossOptions& options = {}) : options_(options) {}
  using Module::forward;
  Tensor forward(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                 const Tensor& target_lengths) {
    return ctc_loss(log_probabilities, targets, input_lengths, target_lengths, options_);
  }

 private:
  CTCLossOptions options_;
};

}  // namespace feral::nn
