// The ops behind losses: gradients, wrong calls.
#include <gtest/gtest.h>

#include "autograd/ops/binary_cross_entropy.hpp"
#include "autograd/ops/classification.hpp"
#include "autograd/ops/cross_entropy.hpp"
#include "autograd/ops/ctc.hpp"
#include "autograd/ops/dropout.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

Tensor ctc(const Tensor& x, const Tensor& targets, const std::vector<std::int64_t>& steps,
           const std::vector<std::int64_t>& lengths, const CtcSettings& settings = {}) {
  return apply<ops::CtcLoss>(settings, x, targets, labels(steps), labels(lengths));
}

void add_losses(std::vector<OpCase>& cases) {
  const Tensor target = labels({2, 0, 2});
  const Tensor weight = Tensor::from_vector<double>({0.5, 2, 1, 0.25}, {4});
  const auto cross_entropy = [&](const char* detail, const CrossEntropySettings& settings, const Tensor& weights) {
    cases.push_back({"cross_entropy",
                     detail,
                     [=](const Inputs& x) { return apply<ops::CrossEntropy>(settings, x[0], target, weights); },
                     {leaf({3, 4})}});
  };
  cross_entropy("mean", {}, {});
  cross_entropy("sum, weights", {.reduction = Reduction::sum}, weight);
  cross_entropy("none, smoothed", {.label_smoothing = 0.3, .reduction = Reduction::none}, {});
  cross_entropy("mean, smoothed, weights, ignored", {.ignore_index = 0, .label_smoothing = 0.2}, weight);
  cross_entropy("none, ignored", {.ignore_index = 2, .reduction = Reduction::none}, {});
  cases.push_back({"cross_entropy",
                   "of a view",
                   [=](const Inputs& x) { return apply<ops::CrossEntropy>({}, turned(x[0]), target, Tensor()); },
                   {leaf({4, 3})}});
  cases.push_back({"binary_cross_entropy",
                   "",
                   [](const Inputs& x) { return apply<ops::BinaryCrossEntropy>({}, x[0], x[1]); },
                   {leaf({2, 3}, 0.1, 0.9), leaf({2, 3}, -0.5, 1.5)}});
  cases.push_back({"binary_cross_entropy",
                   "of views",
                   [](const Inputs& x) { return apply<ops::BinaryCrossEntropy>({}, turned(x[0]), turned(x[1])); },
                   {leaf({2, 3}, 0.1, 0.9), leaf({2, 3}, 0, 1)}});
  // Not behind log_softmax: the gradient of the function itself.
  const Tensor padded = Tensor::from_vector<std::int64_t>({1, 1, 2, 0}, {2, 2});
  cases.push_back({"ctc_loss",
                   "padded",
                   [=](const Inputs& x) {
                     return ctc(x[0], padded, {5, 3}, {2, 1});
                   },
                   {leaf({5, 2, 3})},
                   {},
                   false});
  cases.push_back({"ctc_loss",
                   "concatenated, of a view",
                   [=](const Inputs& x) {
                     return ctc(x[0].transpose(0, 1), labels({1, 0, 1}), {4, 4}, {3, 0}, {.blank = 2});
                   },
                   {leaf({2, 4, 3})},
                   {},
                   false});
  cases.push_back({"ctc_loss",
                   "impossible",
                   [=](const Inputs& x) {
                     return ctc(x[0], padded, {2, 0}, {2, 1}, {.zero_infinity = true});
                   },
                   {leaf({5, 2, 3})},
                   {},
                   false});
}
const FamilyOfOpCases op_cases(add_losses);

void add_wrong_losses(std::vector<WrongCall>& calls) {
  const auto cross_entropy = [](const Tensor& x, const Tensor& target, const Tensor& weight = {},
                                const CrossEntropySettings& settings = {}) {
    return [=] { (void)apply<ops::CrossEntropy>(settings, x, target, weight); };
  };
  const char* name = "cross_entropy";
  calls.push_back({name, cross_entropy(f32({3}), labels({0})), {"2 dimensions", "[3]"}});
  calls.push_back({name, cross_entropy(f32({2, 0}), labels({0, 0})), {"no classes", "[2, 0]"}});
  calls.push_back({name, cross_entropy(i32({2, 3}), labels({0, 0})), {"int32"}});
  calls.push_back({name, cross_entropy(f32({2, 3}), labels({0})), {"[2]", "[1]"}});
  calls.push_back({name, cross_entropy(f32({2, 3}), labels({0, 3})), {"target 3 at position 1", "[0, 3)"}});
  calls.push_back({name, cross_entropy(f32({2, 3}), labels({-1, 0})), {"target -1 at position 0"}});
  calls.push_back({name, cross_entropy(f32({1, 3}), labels({0}), f32({2})), {"[2]", "3 classes"}});
  calls.push_back({name, cross_entropy(f32({1, 3}), labels({0}), f64({3})), {"float32", "float64"}});
  calls.push_back({name, cross_entropy(f32({1, 3}), labels({0}), f32({3}).set_requires_grad(true)), {"detach()"}});
  calls.push_back({name, cross_entropy(f32({1, 3}), labels({0}), {}, {.label_smoothing = -0.5}), {"-0.5"}});
  const auto backward = [](const Tensor& gradient, const Tensor& terms) {
    return [=] { (void)apply<ops::CrossEntropyBackward>({}, gradient, terms, f32({1, 3}), labels({0}), Tensor()); };
  };
  calls.push_back({"cross_entropy_backward", backward(f32({1}), f32({2, 1})), {"[1]", "[1, 3]"}});
  calls.push_back({"cross_entropy_backward", backward(f32({}), f32({2, 2})), {"[2, 2]", "[1, 3]"}});
  calls.push_back({"cross_entropy_backward", backward(f64({}), f32({2, 1})), {"float64", "float32"}});
  const auto bce = [](const Tensor& x, const Tensor& target) {
    return [=] { (void)apply<ops::BinaryCrossEntropy>({}, x, target); };
  };
  calls.push_back({"binary_cross_entropy", bce(f32({2}), f32({3})), {"[2]", "[3]"}});
  calls.push_back({"binary_cross_entropy", bce(f32({2}), f64({2})), {"float32", "float64"}});
  calls.push_back({"binary_cross_entropy", bce(i32({2}), i32({2})), {"int32"}});
  calls.push_back({"binary_cross_entropy", bce(f32({2}) * -0.25, f32({2})), {"-0.25", "sigmoid"}});
  calls.push_back({"binary_cross_entropy", bce(Tensor(), f32({2})), {"undefined"}});
  const Tensor x = f32({4, 2, 3});
  const Tensor padded = Tensor::ones({2, 2}, DType::int64);
  const auto loss = [=](const Tensor& scores, const Tensor& targets, const std::vector<std::int64_t>& steps,
                        const std::vector<std::int64_t>& lengths, const CtcSettings& settings = {}) {
    return [=] { (void)ctc(scores, targets, steps, lengths, settings); };
  };
  calls.push_back({"ctc_loss", loss(f32({4, 3}), padded, {4, 4}, {2, 2}), {"3 dimensions", "[4, 3]"}});
  calls.push_back({"ctc_loss", loss(x, padded, {4, 4}, {2, 2}, {.blank = 3}), {"blank 3", "[0, 3)"}});
  calls.push_back({"ctc_loss", loss(x, i32({2, 2}), {4, 4}, {2, 2}), {"int32"}});
  calls.push_back({"ctc_loss", loss(x, Tensor::ones({3, 2}, DType::int64), {4, 4}, {2, 2}), {"[3, 2]"}});
  calls.push_back({"ctc_loss", loss(x, padded, {4, 5}, {2, 2}), {"input_lengths[1] is 5", "[0, 4]"}});
  calls.push_back({"ctc_loss", loss(x, padded, {4, 4}, {-1, 2}), {"target_lengths[0] is -1", "[0, 2]"}});
  calls.push_back({"ctc_loss", loss(x, padded, {4}, {2, 2}), {"input_lengths", "[1]"}});
  calls.push_back({"ctc_loss", loss(x, labels({1, 1, 1}), {4, 4}, {2, 2}), {"4", "3 targets"}});
  calls.push_back({"ctc_loss", loss(x, labels({1, 3}), {4, 4}, {1, 1}), {"target 3 of sample 1", "[0, 3)"}});
  calls.push_back({"ctc_loss", loss(x, labels({1, 0}), {4, 4}, {1, 1}), {"sample 1 is 0", "blank"}});
  calls.push_back({"ctc_loss", loss(Tensor(), padded, {4, 4}, {2, 2}), {"undefined"}});
  const auto ctc_backward = [=](const Tensor& gradient, const Tensor& alphas) {
    return [=] {
      (void)apply<ops::CtcLossBackward>({}, gradient, alphas, x, padded, labels({4, 4}), labels({2, 2}));
    };
  };
  calls.push_back({"ctc_loss_backward", ctc_backward(f32({3}), f64({2, 4, 5})), {"[3]", "[4, 2, 3]"}});
  calls.push_back({"ctc_loss_backward", ctc_backward(f32({2}), f64({2, 4, 6})), {"[2, 4, 6]"}});
  calls.push_back({"ctc_loss_backward", ctc_backward(f64({2}), f64({2, 4, 5})), {"float64", "float32"}});
  calls.push_back({"dropout1d", [] { (void)dropout1d(f32({3}), 0.5, true); }, {"3 dimensions", "[3]"}});
  calls.push_back({"dropout3d", [] { (void)dropout3d(Tensor(), 0.5, true); }, {"undefined"}});
  calls.push_back({"alpha_dropout", [] { (void)alpha_dropout(f32({3}), 2, true); }, {"2"}});
  calls.push_back({"feature_alpha_dropout", [] { (void)feature_alpha_dropout(f32({3}), 0.5, true); }, {"[3]"}});
  calls.push_back({"nll_loss", [] { (void)nll_loss(f32({}), labels({0})); }, {"no classes"}});
  calls.push_back({"nll_loss",
                   [] {
                     (void)nll_loss(f32({2, 3, 4}), labels({0}));
                   },
                   {"[2, 3, 4]", "[2, 4]", "[1]"}});
}
const FamilyOfWrongCalls wrong_calls(add_wrong_losses);

}  // namespace
}  // namespace feral
