#include "nn/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

Tensor labels(const std::vector<std::int64_t>& values) {
  return Tensor::from_vector(values, {static_cast<std::int64_t>(values.size())});
}

TEST(CrossEntropy, OfEqualLogitsIsTheLogarithmOfTheClasses) {
  EXPECT_NEAR(cross_entropy(Tensor::full({2, 4}, 7, DType::float64), labels({0, 3})).item(), std::log(4.0), 1e-14);
}

TEST(CrossEntropy, HasTheSoftmaxMinusTheTargetAsGradient) {
  const Tensor logits = Tensor::from_vector<double>({1, 2, 3}, {1, 3}).set_requires_grad(true);
  cross_entropy(logits, labels({1})).backward();
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  const auto gradient = logits.grad().to_vector<double>();
  EXPECT_NEAR(gradient[0], std::exp(1.0) / sum, 1e-14);
  EXPECT_NEAR(gradient[1], std::exp(2.0) / sum - 1, 1e-14);
  EXPECT_NEAR(gradient[2], std::exp(3.0) / sum, 1e-14);
}

// The twin: log-softmax and the negative log-likelihood, each by itself.
TEST(CrossEntropy, EqualsItsPartsAtEveryWidth) {
  Numbers numbers(7);
  for (const std::int64_t classes : {1, 2, 3, 10, 15, 16, 17, 33, 100, 5000}) {
    const auto check = [&]<class T>(T, double tolerance) {
      std::vector<std::int64_t> targets(7);
      for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<std::int64_t>(i) * 7 % classes;
      const Tensor x = numbers.tensor<T>({7, classes}, -4, 4).set_requires_grad(true);
      const Tensor twin = x.detach().clone().set_requires_grad(true);
      const Tensor loss = cross_entropy(x, labels(targets));
      const Tensor expected = nll_loss(log_softmax(twin), labels(targets));
      EXPECT_NEAR(loss.item(), expected.item(), tolerance * std::max(1.0, expected.item())) << classes;
      loss.backward();
      expected.backward();
      EXPECT_TRUE(x.grad().allclose(twin.grad(), tolerance, tolerance * 1e-2)) << classes;
    };
    check(0.0F, 2e-6);
    check(0.0, 1e-14);
  }
}

TEST(CrossEntropy, HoldsAtExtremes) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::from_vector<double>({1e4, -1e4, 0, -infinity, 3, 3}, {2, 3}).set_requires_grad(true);
  const Tensor losses = cross_entropy(x, labels({1, 2}), {.reduction = Reduction::none});
  EXPECT_EQ(losses.to_vector<double>()[0], 2e4);
  EXPECT_NEAR(losses.to_vector<double>()[1], std::log(2.0), 1e-15);
  losses.sum().backward();
  const std::vector<double> expected = {1, -1, 0, 0, 0.5, -0.5};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(x.grad().to_vector<double>()[i], expected[i], 1e-15) << i;
}

TEST(CrossEntropy, ANaNPoisonsItsRowAloneAndWhatIsIgnoredNothing) {
  const double nan = std::nan("");
  const Tensor x = Tensor::from_vector<double>({nan, 0, 1, 1, nan, nan}, {3, 2}).set_requires_grad(true);
  const Tensor losses = cross_entropy(x, labels({1, 0, -100}), {.reduction = Reduction::none});
  EXPECT_TRUE(std::isnan(losses.to_vector<double>()[0]));
  EXPECT_NEAR(losses.to_vector<double>()[1], std::log(2.0), 1e-15);
  EXPECT_EQ(losses.to_vector<double>()[2], 0);
  losses.sum().backward();
  const auto gradient = x.grad().to_vector<double>();
  EXPECT_TRUE(std::isnan(gradient[0]));
  EXPECT_NEAR(gradient[2], -0.5, 1e-15);
  EXPECT_EQ(gradient[4], 0);
  EXPECT_EQ(gradient[5], 0);
}

TEST(CrossEntropy, OfNothingButIgnoredRowsIsNoNumber) {
  const Tensor x = Tensor::ones({2, 3});
  EXPECT_TRUE(std::isnan(cross_entropy(x, labels({-100, -100})).item()));
  EXPECT_EQ(cross_entropy(x, labels({-100, -100}), {.reduction = Reduction::sum}).item(), 0);
  EXPECT_TRUE(std::isnan(nll_loss(x, labels({-100, -100})).item()));
}

TEST(MseLoss, IsTheMeanOfTheSquaredDifferences) {
  const Tensor prediction = Tensor::from_vector<double>({1, 2, 5}, {3}).set_requires_grad(true);
  const Tensor loss = mse_loss(prediction, Tensor::from_vector<double>({1, 4, 2}, {3}));
  EXPECT_NEAR(loss.item(), 13.0 / 3, 1e-14);
  loss.backward();
  const auto gradient = prediction.grad().to_vector<double>();
  EXPECT_NEAR(gradient[0], 0, 1e-14);
  EXPECT_NEAR(gradient[1], -4.0 / 3, 1e-14);
  EXPECT_NEAR(gradient[2], 2, 1e-14);
}

TEST(BinaryCrossEntropy, CutsItsLogarithmsAtMinusOneHundred) {
  const Tensor x = Tensor::from_vector<float>({0, 1}, {2});
  const Tensor target = Tensor::from_vector<float>({1, 0}, {2});
  EXPECT_EQ(binary_cross_entropy(x, target).item(), 100);
}

// All ways through the steps that spell the target, enumerated.
double ctc_by_enumeration(const std::vector<double>& probabilities, std::int64_t steps, std::int64_t classes,
                          const std::vector<std::int64_t>& target) {
  double total = 0;
  std::vector<std::int64_t> path(static_cast<std::size_t>(steps), 0);
  for (;;) {
    std::vector<std::int64_t> spelled;
    double probability = 1;
    for (std::size_t t = 0; t < path.size(); ++t) {
      probability *= probabilities[t * static_cast<std::size_t>(classes) + static_cast<std::size_t>(path[t])];
      if (path[t] != 0 && (t == 0 || path[t] != path[t - 1])) spelled.push_back(path[t]);
    }
    if (spelled == target) total += probability;
    std::size_t t = 0;
    while (t < path.size() && ++path[t] == classes) path[t++] = 0;
    if (t == path.size()) return -std::log(total);
  }
}

TEST(Ctc, SumsOverAllAlignments) {
  Numbers numbers(3);
  for (const auto& target :
       std::vector<std::vector<std::int64_t>>{{}, {1}, {1, 1}, {2, 1, 2}, {1, 1, 2}, {2, 2, 2}}) {
    const Tensor x = numbers.tensor<double>({5, 3}, -2, 2).log_softmax(1);
    const Tensor loss = ctc_loss(x, labels(target), Tensor::full({}, 5, DType::int64),
                                 Tensor::full({}, static_cast<std::int64_t>(target.size()), DType::int64),
                                 {.reduction = Reduction::sum});
    EXPECT_NEAR(loss.item(), ctc_by_enumeration(x.exp().to_vector<double>(), 5, 3, target), 1e-12) << target.size();
  }
}

TEST(Ctc, HasNoSecondDerivative) {
  const Tensor x = Tensor::zeros({3, 1, 2}, DType::float64).set_requires_grad(true);
  const Tensor loss = ctc_loss(x.log_softmax(2), Tensor::ones({1, 1}, DType::int64), labels({3}), labels({1}));
  EXPECT_TRUE(contains(error_of([&] { loss.backward({}, false, true); }), "ctc_loss"));
}

TEST(Losses, SayWhatDoesNotFit) {
  const Tensor x = Tensor::ones({2, 3});
  const Tensor y = Tensor::ones({3, 2});
  const auto refuses = [](auto&& call, const std::vector<std::string>& parts) {
    const std::string message = error_of(call);
    for (const std::string& part : parts) EXPECT_TRUE(contains(message, part)) << message << ": no " << part;
    EXPECT_FALSE(contains(message, "\n")) << message;
  };
  const std::vector<std::string> both = {"[2, 3]", "[3, 2]"};
  const auto with = [&](const char* name) {
    std::vector<std::string> parts = both;
    parts.push_back(name);
    return parts;
  };
  refuses([&] { (void)mse_loss(x, y); }, with("mse_loss"));
  refuses([&] { (void)mse_loss(x, Tensor()); }, {"mse_loss", "undefined"});
  refuses([&] { (void)l1_loss(x, y); }, with("l1_loss"));
  refuses([&] { (void)smooth_l1_loss(x, y); }, with("smooth_l1_loss"));
  refuses([&] { (void)smooth_l1_loss(x, x, {.beta = -1}); }, {"smooth_l1_loss", "-1"});
  refuses([&] { (void)huber_loss(x, y); }, with("huber_loss"));
  refuses([&] { (void)huber_loss(x, x, {.delta = 0}); }, {"huber_loss", "delta 0"});
  refuses([&] { (void)poisson_nll_loss(x, y); }, with("poisson_nll_loss"));
  refuses([&] { (void)gaussian_nll_loss(x, y, x); }, with("gaussian_nll_loss"));
  refuses([&] { (void)gaussian_nll_loss(x, x, y); }, with("gaussian_nll_loss"));
  refuses([&] { (void)gaussian_nll_loss(x, x, -1 * x); }, {"gaussian_nll_loss", "below 0"});
  refuses([&] { (void)binary_cross_entropy(x, y); }, with("binary_cross_entropy"));
  refuses([&] { (void)binary_cross_entropy(x * 1.5, x); }, {"binary_cross_entropy", "1.5", "sigmoid"});
  refuses([&] { (void)binary_cross_entropy_with_logits(x, y); }, with("binary_cross_entropy_with_logits"));
  refuses([&] { (void)kl_div(x, y); }, with("kl_div"));
  refuses([&] { (void)hinge_embedding_loss(x, y); }, with("hinge_embedding_loss"));
  refuses([&] { (void)multi_margin_loss(x, labels({0})); }, {"multi_margin_loss", "[2, 3]", "[1]"});
  refuses([&] { (void)multi_margin_loss(x, labels({0, 0}), {.p = 3}); }, {"multi_margin_loss", "3"});
  refuses([&] { (void)multilabel_margin_loss(x, y); }, with("multilabel_margin_loss"));
  refuses([&] { (void)multilabel_margin_loss(x, x); }, {"multilabel_margin_loss", "int64"});
  refuses([&] { (void)multilabel_margin_loss(x, Tensor::full({2, 3}, 3, DType::int64)); }, {"target 3 of row 0"});
  refuses([&] { (void)soft_margin_loss(x, y); }, with("soft_margin_loss"));
  refuses([&] { (void)multilabel_soft_margin_loss(x, y); }, with("multilabel_soft_margin_loss"));
  refuses([&] { (void)margin_ranking_loss(x, y, x); }, with("margin_ranking_loss"));
  refuses([&] { (void)margin_ranking_loss(x, x, y); }, with("margin_ranking_loss"));
  refuses([&] { (void)cosine_embedding_loss(x, y, x); }, with("cosine_embedding_loss"));
  refuses([&] { (void)cosine_embedding_loss(x, x, labels({1})); }, {"cosine_embedding_loss", "[2, 3]", "[1]"});
  refuses([&] { (void)triplet_margin_loss(x, x, y); }, with("triplet_margin_loss"));
  refuses([&] { (void)triplet_margin_loss(x, x, x, {.margin = 0}); }, {"triplet_margin_loss", "margin 0"});
  refuses([&] { (void)cross_entropy(x, labels({0})); }, {"cross_entropy", "[2, 3]", "[1]"});
  refuses([&] { (void)cross_entropy(x, labels({0, 3})); }, {"cross_entropy", "target 3 at position 1", "[0, 3)"});
  refuses([&] { (void)cross_entropy(x, y); }, with("cross_entropy"));
  refuses([&] { (void)cross_entropy(x, x, {.ignore_index = 1}); }, {"cross_entropy", "ignore_index 1"});
  refuses([&] { (void)cross_entropy(x, x, {.label_smoothing = 2}); }, {"cross_entropy", "label_smoothing 2"});
  refuses([&] { (void)cross_entropy(x, labels({0, 1}), {.weight = Tensor::ones({2})}); }, {"weight of shape [2]"});
  refuses(
      [&] {
        (void)nll_loss(x, labels({0, 1}), {.weight = Tensor::ones({3}, DType::float64)});
      },
      {"nll_loss", "float32", "float64"});
}

TEST(Losses, OfAWeightHaveItAsABuffer) {
  CrossEntropyLoss loss({.weight = Tensor::full({3}, 2)});
  EXPECT_EQ(loss.named_buffers().size(), 1U);
  EXPECT_EQ(loss.state_dict().count("weight"), 1U);
  loss.to(DType::float64);
  const Tensor x = Tensor::zeros({1, 3}, DType::float64);
  EXPECT_NEAR(loss(x, labels({1})).item(), std::log(3.0), 1e-15);
  BCEWithLogitsLoss with({.pos_weight = Tensor::ones({3})});
  EXPECT_EQ(with.state_dict().count("pos_weight"), 1U);
  EXPECT_TRUE(CrossEntropyLoss().state_dict().empty());
  EXPECT_EQ(CrossEntropyLoss().repr(), "CrossEntropyLoss()");
}

}  // namespace
}  // namespace feral::nn
