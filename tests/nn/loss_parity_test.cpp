// Losses beside PyTorch's, and their gradients beside finite differences.
#include <gtest/gtest.h>

#include <map>

#include "autograd/gradcheck.hpp"
#include "nn/loss.hpp"
#include "tests/nn/parity.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::Numbers;

Tensor weight() { return Tensor::from_vector<float>({0.5, 2, 1}, {3}); }

using Check = std::function<void(const std::string& name)>;

// Runs a case with a module of two inputs, made anew for each.
template <class L, class Options = LossOptions>
Check loss(const Options& options = {}) {
  return [=](const std::string& name) {
    L module(options);
    expect_parity("losses", name, module, [&](const Tensors& x) { return Tensors{module(x.at(0), x.at(1))}; });
  };
}

template <class L, class Options>
Check of_three(const Options& options) {
  return [=](const std::string& name) {
    L module(options);
    expect_parity("losses", name, module,
                  [&](const Tensors& x) { return Tensors{module.forward(x.at(0), x.at(1), x.at(2))}; });
  };
}

Check ctc(const CTCLossOptions& options) {
  return [=](const std::string& name) {
    CTCLoss module(options);
    expect_parity("losses", name, module, [&](const Tensors& x) {
      return Tensors{module.forward(x.at(0).log_softmax(-1), x.at(1), x.at(2), x.at(3))};
    });
  };
}

std::map<std::string, Check> losses() {
  constexpr Reduction none = Reduction::none;
  constexpr Reduction sum = Reduction::sum;
  constexpr Reduction mean = Reduction::mean;
  std::map<std::string, Check> all;
  const std::pair<const char*, Reduction> reductions[] = {{"mean", mean}, {"sum", sum}, {"none", none}};
  for (const auto& [name, reduction] : reductions) {
    all[std::string("MSELoss/") + name] = loss<MSELoss>(LossOptions{reduction});
    if (reduction != sum) {
      all[std::string("L1Loss/") + name] = loss<L1Loss>(LossOptions{reduction});
      all[std::string("SoftMarginLoss/") + name] = loss<SoftMarginLoss>(LossOptions{reduction});
    }
    all[std::string("CrossEntropyLoss/smoothed_") + name] =
        loss<CrossEntropyLoss>(CrossEntropyLossOptions{.reduction = reduction, .label_smoothing = 0.2});
    all[std::string("CrossEntropyLoss/smoothed_weight_") + name] = loss<CrossEntropyLoss>(
        CrossEntropyLossOptions{.weight = weight(), .reduction = reduction, .label_smoothing = 0.3});
    all[std::string("CrossEntropyLoss/probabilities_smoothed_") + name] = loss<CrossEntropyLoss>(
        CrossEntropyLossOptions{.weight = weight(), .reduction = reduction, .label_smoothing = 0.2});
  }
  all["SmoothL1Loss/default"] = loss<SmoothL1Loss>(SmoothL1LossOptions{});
  all["SmoothL1Loss/beta_0.3_sum"] = loss<SmoothL1Loss>(SmoothL1LossOptions{.beta = 0.3, .reduction = sum});
  all["SmoothL1Loss/beta_0"] = loss<SmoothL1Loss>(SmoothL1LossOptions{.beta = 0});
  all["HuberLoss/default"] = loss<HuberLoss>(HuberLossOptions{});
  all["HuberLoss/delta_0.7_none"] = loss<HuberLoss>(HuberLossOptions{.delta = 0.7, .reduction = none});
  all["PoissonNLLLoss/default"] = loss<PoissonNLLLoss>(PoissonNLLLossOptions{});
  all["PoissonNLLLoss/full"] = loss<PoissonNLLLoss>(PoissonNLLLossOptions{.full = true, .reduction = sum});
  all["PoissonNLLLoss/no_logarithm"] =
      loss<PoissonNLLLoss>(PoissonNLLLossOptions{.log_input = false, .eps = 0.01, .reduction = none});
  all["GaussianNLLLoss/default"] = of_three<GaussianNLLLoss>(GaussianNLLLossOptions{});
  all["GaussianNLLLoss/full_with_rows"] =
      of_three<GaussianNLLLoss>(GaussianNLLLossOptions{.full = true, .eps = 0.8, .reduction = none});
  all["GaussianNLLLoss/a_dimension_less"] = of_three<GaussianNLLLoss>(GaussianNLLLossOptions{.reduction = sum});

  all["NLLLoss/default"] = loss<NLLLoss>(NLLLossOptions{});
  all["NLLLoss/one_row"] = loss<NLLLoss>(NLLLossOptions{});
  all["NLLLoss/image"] = loss<NLLLoss>(NLLLossOptions{});
  all["NLLLoss/weight"] = loss<NLLLoss>(NLLLossOptions{.weight = weight()});
  all["NLLLoss/weight_none"] = loss<NLLLoss>(NLLLossOptions{.weight = weight(), .reduction = none});
  all["NLLLoss/image_none"] = loss<NLLLoss>(NLLLossOptions{.weight = weight(), .reduction = none});
  all["NLLLoss/ignored"] = loss<NLLLoss>(NLLLossOptions{.ignore_index = 1});
  all["NLLLoss/ignored_with_weight"] = loss<NLLLoss>(NLLLossOptions{.weight = weight(), .ignore_index = 0});
  all["NLLLoss/sum"] = loss<NLLLoss>(NLLLossOptions{.reduction = sum});

  using CrossEntropy = CrossEntropyLossOptions;
  all["CrossEntropyLoss/default"] = loss<CrossEntropyLoss>(CrossEntropy{});
  all["CrossEntropyLoss/probabilities"] = loss<CrossEntropyLoss>(CrossEntropy{});
  all["CrossEntropyLoss/probabilities_one_row"] = loss<CrossEntropyLoss>(CrossEntropy{.weight = weight()});
  all["CrossEntropyLoss/sum"] = loss<CrossEntropyLoss>(CrossEntropy{.reduction = sum});
  all["CrossEntropyLoss/none"] = loss<CrossEntropyLoss>(CrossEntropy{.reduction = none});
  all["CrossEntropyLoss/weight_and_ignored"] =
      loss<CrossEntropyLoss>(CrossEntropy{.weight = weight(), .ignore_index = 0});
  all["CrossEntropyLoss/one_row"] = loss<CrossEntropyLoss>(CrossEntropy{.label_smoothing = 0.1});
  all["CrossEntropyLoss/image"] = loss<CrossEntropyLoss>(CrossEntropy{.label_smoothing = 0.1});
  all["CrossEntropyLoss/image_none"] = loss<CrossEntropyLoss>(CrossEntropy{.weight = weight(), .reduction = none});
  all["CrossEntropyLoss/many_classes"] = loss<CrossEntropyLoss>(CrossEntropy{.label_smoothing = 0.05});

  all["BCELoss/default"] = loss<BCELoss>(BCELossOptions{});
  all["BCELoss/weight_none"] = loss<BCELoss>(BCELossOptions{.weight = weight(), .reduction = none});
  all["BCELoss/ends_sum"] = loss<BCELoss>(BCELossOptions{.reduction = sum});
  all["BCEWithLogitsLoss/default"] = loss<BCEWithLogitsLoss>(BCEWithLogitsLossOptions{});
  all["BCEWithLogitsLoss/weights"] = loss<BCEWithLogitsLoss>(
      BCEWithLogitsLossOptions{.weight = Tensor::ones({4, 1}), .pos_weight = weight(), .reduction = sum});
  all["BCEWithLogitsLoss/none"] =
      loss<BCEWithLogitsLoss>(BCEWithLogitsLossOptions{.pos_weight = Tensor::ones({1}), .reduction = none});
  all["KLDivLoss/mean"] = loss<KLDivLoss>(KLDivLossOptions{});
  all["KLDivLoss/batchmean"] = loss<KLDivLoss>(KLDivLossOptions{.reduction = KLDivReduction::batchmean});
  all["KLDivLoss/zeros_none"] = loss<KLDivLoss>(KLDivLossOptions{.reduction = KLDivReduction::none});
  all["KLDivLoss/log_target_sum"] =
      loss<KLDivLoss>(KLDivLossOptions{.reduction = KLDivReduction::sum, .log_target = true});

  all["HingeEmbeddingLoss/default"] = loss<HingeEmbeddingLoss>(HingeEmbeddingLossOptions{});
  all["HingeEmbeddingLoss/margin_0.4_none"] =
      loss<HingeEmbeddingLoss>(HingeEmbeddingLossOptions{.margin = 0.4, .reduction = none});
  all["MultiMarginLoss/default"] = loss<MultiMarginLoss>(MultiMarginLossOptions{});
  all["MultiMarginLoss/one_row"] = loss<MultiMarginLoss>(MultiMarginLossOptions{.reduction = sum});
  all["MultiMarginLoss/p_2_weight"] =
      loss<MultiMarginLoss>(MultiMarginLossOptions{.p = 2, .margin = 0.7, .weight = weight(), .reduction = none});
  all["MultiLabelMarginLoss/default"] = loss<MultiLabelMarginLoss>();
  all["MultiLabelMarginLoss/one_row"] = loss<MultiLabelMarginLoss>();
  all["MultiLabelMarginLoss/none"] = loss<MultiLabelMarginLoss>(LossOptions{none});
  all["MultiLabelSoftMarginLoss/default"] = loss<MultiLabelSoftMarginLoss>(MultiLabelSoftMarginLossOptions{});
  all["MultiLabelSoftMarginLoss/weight_none"] =
      loss<MultiLabelSoftMarginLoss>(MultiLabelSoftMarginLossOptions{.weight = weight(), .reduction = none});
  all["MarginRankingLoss/default"] = of_three<MarginRankingLoss>(MarginRankingLossOptions{});
  all["MarginRankingLoss/margin_0.5_none"] =
      of_three<MarginRankingLoss>(MarginRankingLossOptions{.margin = 0.5, .reduction = none});
  all["CosineEmbeddingLoss/default"] = of_three<CosineEmbeddingLoss>(CosineEmbeddingLossOptions{});
  all["CosineEmbeddingLoss/margin_none"] =
      of_three<CosineEmbeddingLoss>(CosineEmbeddingLossOptions{.margin = -0.5, .reduction = none});
  all["CosineEmbeddingLoss/one_row"] = of_three<CosineEmbeddingLoss>(CosineEmbeddingLossOptions{.margin = 0.1});
  all["TripletMarginLoss/default"] = of_three<TripletMarginLoss>(TripletMarginLossOptions{});
  all["TripletMarginLoss/swap"] = of_three<TripletMarginLoss>(
      TripletMarginLossOptions{.margin = 2, .p = 1, .eps = 1e-3, .swap = true, .reduction = none});
  all["TripletMarginLoss/one_row"] =
      of_three<TripletMarginLoss>(TripletMarginLossOptions{.margin = 3, .reduction = sum});

  all["CTCLoss/default"] = ctc({});
  all["CTCLoss/blank_4_sum"] = ctc({.blank = 4, .reduction = sum});
  all["CTCLoss/impossible_none"] = ctc({.reduction = none, .zero_infinity = true});
  all["CTCLoss/infinite"] = ctc({.reduction = none});
  all["CTCLoss/empty_targets"] = ctc({});
  all["CTCLoss/one_sample"] = ctc({});
  return all;
}

TEST(LossParity, EqualsPyTorch) {
  const std::map<std::string, Check> all = losses();
  for (const std::string& name : parity_cases("losses")) {
    ASSERT_TRUE(all.contains(name)) << name;
    all.at(name)(name);
  }
  EXPECT_EQ(parity_cases("losses").size(), all.size());
}

// --- finite differences, on views that are not contiguous

struct Case {
  std::string name;
  std::function<Tensor(const std::vector<Tensor>&)> function;
  std::vector<Tensor> inputs;
};

Tensor turned(const Tensor& x) { return x.transpose(0, 1); }

std::vector<Case> cases() {
  Numbers numbers(53);
  const auto leaf = [&](const Shape& shape, double low, double high) {
    return numbers.tensor<double>(shape, low, high).set_requires_grad(true);
  };
  std::vector<Case> all;
  using Pair = Tensor (*)(const Tensor&, const Tensor&);
  // Differences of at least 0.1, none near 0.5 or 1.
  const auto add = [&](const std::string& name, Pair function, double low, double high, double target_low,
                       double target_high) {
    all.push_back({name,
                   [function](const std::vector<Tensor>& x) { return function(turned(x[0]), turned(x[1])); },
                   {leaf({3, 2}, low, high), leaf({3, 2}, target_low, target_high)}});
  };
  add(
      "mse", [](const Tensor& x, const Tensor& y) { return mse_loss(x, y); }, -1, 1, -1, 1);
  add(
      "l1", [](const Tensor& x, const Tensor& y) { return l1_loss(x, y, {.reduction = Reduction::none}); }, 0.5, 1,
      0, 0.4);
  add(
      "smooth_l1, inside", [](const Tensor& x, const Tensor& y) { return smooth_l1_loss(x, y, {.beta = 2}); }, 0.5,
      1, 0, 0.4);
  add(
      "smooth_l1, outside", [](const Tensor& x, const Tensor& y) { return smooth_l1_loss(x, y, {.beta = 0.05}); },
      0.5, 1, 0, 0.4);
  add(
      "huber", [](const Tensor& x, const Tensor& y) { return huber_loss(x, y, {.delta = 0.05}); }, 0.5, 1, 0, 0.4);
  add(
      "poisson", [](const Tensor& x, const Tensor& y) { return poisson_nll_loss(x, y, {.full = true}); }, -1, 1,
      1.1, 3);
  add(
      "poisson of a rate",
      [](const Tensor& x, const Tensor& y) { return poisson_nll_loss(x, y, {.log_input = false}); }, 0.5, 2, 0.1,
      3);
  add(
      "bce", [](const Tensor& x, const Tensor& y) { return binary_cross_entropy(x, y); }, 0.1, 0.9, 0.1, 0.9);
  add(
      "bce with logits", [](const Tensor& x, const Tensor& y) { return binary_cross_entropy_with_logits(x, y); },
      -2, 2, 0.1, 0.9);
  add(
      "kl_div", [](const Tensor& x, const Tensor& y) { return kl_div(x, y); }, -2, 0, 0.1, 0.9);
  add(
      "kl_div of logarithms", [](const Tensor& x, const Tensor& y) { return kl_div(x, y, {.log_target = true}); },
      -2, 0, -2, 0);
  add(
      "soft margin", [](const Tensor& x, const Tensor& y) { return soft_margin_loss(x, y); }, -2, 2, -1, 1);
  add(
      "multilabel soft margin", [](const Tensor& x, const Tensor& y) { return multilabel_soft_margin_loss(x, y); },
      -2, 2, 0, 1);
  add(
      "cross entropy of probabilities",
      [](const Tensor& x, const Tensor& y) { return cross_entropy(x, y, {.label_smoothing = 0.1}); }, -2, 2, 0, 1);
  add(
      "triplet",
      [](const Tensor& x, const Tensor& y) { return triplet_margin_loss(x, y, (x - y) * 0.3, {.swap = true}); }, -2,
      2, -2, 2);

  const Tensor labels = Tensor::from_vector<std::int64_t>({2, 0}, {2});
  const Tensor some = Tensor::from_vector<std::int64_t>({-100, 1}, {2});
  const Tensor weights = Tensor::from_vector<double>({0.5, 2, 1}, {3});
  const auto of_scores = [&](const std::string& name, std::function<Tensor(const Tensor&)> function) {
    all.push_back(
        {name,
         [function](const std::vector<Tensor>& x) { return function(turned(x[0])); },
         {Tensor::from_vector<double>({0.3, -1.2, 0.9, 0.1, -0.4, 1.7}, {3, 2}).set_requires_grad(true)}});
  };
  of_scores("nll", [=](const Tensor& x) { return nll_loss(x, labels); });
  of_scores("nll with weights", [=](const Tensor& x) { return nll_loss(x.square(), some, {.weight = weights}); });
  of_scores("multi margin",
            [=](const Tensor& x) { return multi_margin_loss(x, labels, {.p = 2, .weight = weights}); });
  of_scores("multilabel margin", [=](const Tensor& x) {
    return multilabel_margin_loss(x.square(), Tensor::from_vector<std::int64_t>({1, -1, 0, 2, 0, -1}, {2, 3}));
  });
  const Tensor signs = Tensor::from_vector<double>({1, -1, -1, 1, 1, -1}, {2, 3});
  of_scores("hinge embedding", [=](const Tensor& x) { return hinge_embedding_loss(x, signs); });
  of_scores("margin ranking", [=](const Tensor& x) { return margin_ranking_loss(x, x.flip(1).square(), signs); });
  of_scores("cosine embedding", [=](const Tensor& x) {
    return cosine_embedding_loss(x, x.flip(0).exp(), Tensor::from_vector<double>({1, -1}, {2}), {.margin = -1});
  });
  of_scores("gaussian",
            [=](const Tensor& x) { return gaussian_nll_loss(x, x.flip(0), x.square().sum(1), {.full = true}); });
  return all;
}

TEST(LossGradients, AgreeWithFiniteDifferences) {
  for (const Case& c : cases()) {
    EXPECT_EQ(gradcheck(c.function, c.inputs), "") << c.name;
    EXPECT_EQ(gradgradcheck(c.function, c.inputs), "") << c.name;
  }
}

}  // namespace
}  // namespace feral::nn
