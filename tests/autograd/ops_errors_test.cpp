// A wrong call of any op throws feral::Error, which names the op and what disagrees.
#include <gtest/gtest.h>

#include <set>

#include "autograd/ops/choice.hpp"
#include "autograd/ops/classification.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/dropout.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/pooling.hpp"
#include "autograd/ops/product.hpp"
#include "autograd/ops/registry.hpp"
#include "autograd/ops/unary.hpp"
#include "autograd/ops/view.hpp"
#include "nn/loss.hpp"
#include "tests/autograd/wrong_calls.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_elementwise(std::vector<WrongCall>& calls) {
  using Binary = Tensor (Tensor::*)(const Tensor&) const;
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"add", &Tensor::add},
                                     {"sub", &Tensor::sub},
                                     {"mul", &Tensor::mul},
                                     {"div", &Tensor::div}}) {
    const auto call = [method = method](const Tensor& a, const Tensor& b) { return [=] { (void)(a.*method)(b); }; };
    calls.push_back({name, call(f32({2, 3}), f32({4, 3})), {"[2, 3]", "[4, 3]"}});
    calls.push_back({name, call(f32({2}), Tensor()), {"undefined"}});
    calls.push_back({name, call(Tensor(), f32({2})), {"undefined"}});
  }
  for (const auto& [name, call] : std::vector<std::pair<std::string, std::function<void(const Tensor&)>>>{
           {"affine", [](const Tensor& x) { (void)x.affine(1, 2); }},
           {"exp", [](const Tensor& x) { (void)x.exp(); }},
           {"log", [](const Tensor& x) { (void)x.log(); }},
           {"relu", [](const Tensor& x) { (void)x.relu(); }}}) {
    calls.push_back({name, [call = call] { call(Tensor()); }, {"undefined"}});
  }
  calls.push_back({"affine", [] { (void)i32({2}).affine(1, 2); }, {"int32", "float32"}});
  const Tensor b8 = Tensor::ones({2}, DType::boolean);
  calls.push_back({"sub", [=] { (void)b8.sub(b8); }, {"bool"}});
  calls.push_back({"where", [] { (void)where(f32({2}), f32({2}), f32({2})); }, {"bool", "float32"}});
  calls.push_back({"where", [=] { (void)where(b8, f32({3}), f32({3})); }, {"[2]", "[3]"}});
  calls.push_back({"where", [=] { (void)where(b8, Tensor(), f32({2})); }, {"undefined"}});
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"maximum", &Tensor::maximum},
                                     {"minimum", &Tensor::minimum},
                                     {"pow", &Tensor::pow},
                                     {"atan2", &Tensor::atan2},
                                     {"hypot", &Tensor::hypot},
                                     {"fmod", &Tensor::fmod},
                                     {"remainder", &Tensor::remainder},
                                     {"logaddexp", &Tensor::logaddexp},
                                     {"eq", &Tensor::eq},
                                     {"ne", &Tensor::ne},
                                     {"lt", &Tensor::lt},
                                     {"le", &Tensor::le}}) {
    const auto call = [method = method](const Tensor& a, const Tensor& b) { return [=] { (void)(a.*method)(b); }; };
    calls.push_back({name, call(f32({2, 3}), f32({4, 3})), {"[2, 3]", "[4, 3]"}});
    calls.push_back({name, call(f32({2}), Tensor()), {"undefined"}});
  }
  using Unary = Tensor (Tensor::*)() const;
  for (const auto& [name, method] : {std::pair<const char*, Unary>{"exp2", &Tensor::exp2},
                                     {"expm1", &Tensor::expm1},
                                     {"log2", &Tensor::log2},
                                     {"log10", &Tensor::log10},
                                     {"log1p", &Tensor::log1p},
                                     {"sqrt", &Tensor::sqrt},
                                     {"rsqrt", &Tensor::rsqrt},
                                     {"reciprocal", &Tensor::reciprocal},
                                     {"square", &Tensor::square},
                                     {"abs", &Tensor::abs},
                                     {"sign", &Tensor::sign},
                                     {"sin", &Tensor::sin},
                                     {"cos", &Tensor::cos},
                                     {"tan", &Tensor::tan},
                                     {"asin", &Tensor::asin},
                                     {"acos", &Tensor::acos},
                                     {"atan", &Tensor::atan},
                                     {"sinh", &Tensor::sinh},
                                     {"cosh", &Tensor::cosh},
                                     {"tanh", &Tensor::tanh},
                                     {"asinh", &Tensor::asinh},
                                     {"acosh", &Tensor::acosh},
                                     {"atanh", &Tensor::atanh},
                                     {"sigmoid", &Tensor::sigmoid},
                                     {"softplus", &Tensor::softplus},
                                     {"erf", &Tensor::erf},
                                     {"erfc", &Tensor::erfc},
                                     {"floor", &Tensor::floor},
                                     {"ceil", &Tensor::ceil},
                                     {"trunc", &Tensor::trunc},
                                     {"round", &Tensor::round}}) {
    calls.push_back({name, [method = method] { (void)(Tensor().*method)(); }, {"undefined"}});
  }
  calls.push_back({"relu_backward",
                   [] {
                     apply<ops::ReluBackward>({}, f32({2, 3}), f32({4, 3}));
                   },
                   {"[2, 3]", "[4, 3]"}});
  calls.push_back(
      {"relu_backward", [] { apply<ops::ReluBackward>({}, f32({2}), f64({2})); }, {"float32", "float64"}});
  calls.push_back({"clone", [] { (void)Tensor().clone(); }, {"undefined"}});
  calls.push_back({"contiguous", [] { (void)Tensor().contiguous(); }, {"undefined"}});
  calls.push_back({"to", [] { (void)Tensor().to(DType::float64); }, {"undefined"}});
}

void add_views(std::vector<WrongCall>& calls) {
  calls.push_back({"reshape", [] { (void)f32({2, 3}).reshape({4}); }, {"[2, 3]", "[4]", "6", "4"}});
  calls.push_back({"reshape", [] { (void)f32({2, 3}).reshape({-1, 4}); }, {"[2, 3]", "[-1, 4]"}});
  calls.push_back({"reshape", [] { (void)f32({2, 3}).reshape({-1, -1}); }, {"more than one -1"}});
  calls.push_back({"reshape", [] { (void)f32({2, 3}).reshape({-2, -3}); }, {"[-2, -3]"}});
  calls.push_back({"reshape", [] { (void)f32({2, 3}).reshape({two_to_40, two_to_40, -1}); }, {"[2, 3]"}});
  calls.push_back({"reshape", [] { (void)f32({0, 3}).reshape({0, -1}); }, {"[0, 3]", "[0, -1]"}});
  calls.push_back({"reshape", [] { (void)Tensor().reshape({1}); }, {"undefined"}});
  calls.push_back({"flatten", [] { (void)f32({2, 3}).flatten(2); }, {"dimension 2", "2 dimensions"}});
  calls.push_back({"flatten", [] { (void)Tensor().flatten(); }, {"undefined"}});
  calls.push_back({"transpose", [] { (void)f32({2, 3}).transpose(0, 2); }, {"dimension 2", "2 dimensions"}});
  calls.push_back({"transpose", [] { (void)Tensor().transpose(0, 1); }, {"undefined"}});
  calls.push_back({"expand", [] { (void)f32({2, 3}).expand({4, 3}); }, {"[2, 3]", "[4, 3]"}});
  calls.push_back({"expand", [] { (void)f32({2, 3}).expand({3}); }, {"[2, 3]", "[3]"}});
  calls.push_back({"expand", [] { (void)f32({2, 1}).expand({1, 5}); }, {"[2, 1]", "[1, 5]"}});
  calls.push_back({"expand", [] { (void)Tensor().expand({1}); }, {"undefined"}});
  calls.push_back({"narrow", [] { (void)f32({2, 3}).narrow(1, 2, 2); }, {"2 elements from 2", "the 3"}});
  calls.push_back({"narrow", [] { (void)f32({2, 3}).narrow(1, -1, 1); }, {"from -1"}});
  calls.push_back({"narrow", [] { (void)f32({2, 3}).narrow(1, 1, -1); }, {"-1 elements"}});
  calls.push_back({"narrow", [] { (void)f32({2, 3}).narrow(1, 1, INT64_MAX); }, {"the 3"}});
  calls.push_back({"narrow", [] { (void)f32({2, 3}).narrow(-3, 0, 1); }, {"dimension -3"}});
  calls.push_back({"narrow", [] { (void)Tensor().narrow(0, 0, 0); }, {"undefined"}});
}

void add_reductions_and_products(std::vector<WrongCall>& calls) {
  calls.push_back({"sum_to", [] { (void)f32({2, 3}).sum_to({4}); }, {"[2, 3]", "[4]"}});
  calls.push_back({"sum_to", [] { (void)f32({3}).sum_to({2, 3}); }, {"[2, 3]", "[3]"}});
  calls.push_back({"sum_to", [] { (void)i32({3}).sum_to({1}); }, {"int32"}});
  calls.push_back({"sum_to", [] { (void)Tensor().sum_to({1}); }, {"undefined"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3}).matmul(f32({4, 5})); }, {"[2, 3]", "[4, 5]"}});
  calls.push_back({"matmul", [] { (void)f32({4}).matmul(f32({3, 5})); }, {"[4]", "[3, 5]"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3}).matmul(f64({3, 5})); }, {"float32", "float64"}});
  calls.push_back({"matmul", [] { (void)f32({2, 3}).matmul(Tensor()); }, {"undefined"}});
  calls.push_back({"linear", [] { linear(f32({2, 3}), f32({5, 4})); }, {"[2, 3]", "[5, 4]"}});
  calls.push_back({"linear", [] { linear(f32({2, 3}), f32({5, 3}), f32({4})); }, {"[4]", "[5, 3]"}});
  calls.push_back({"linear", [] { linear(f32({2, 3}), f64({5, 3})); }, {"float32", "float64"}});
  calls.push_back({"linear", [] { linear(f32({2, 3}), f32({5, 3}), f64({5})); }, {"float32", "float64"}});
  calls.push_back({"linear", [] { linear(f32({2, 3}), Tensor()); }, {"undefined"}});
  calls.push_back({"mse_loss", [] { nn::mse_loss(f32({4}), f32({4, 1})); }, {"[4]", "[4, 1]"}});
}

void add_images(std::vector<WrongCall>& calls) {
  calls.push_back({"dropout", [] { dropout(f32({2}), 1.5, true); }, {"1.5"}});
  calls.push_back({"dropout", [] { dropout(f32({2}), -0.5, true); }, {"-0.5"}});
  calls.push_back({"dropout", [] { dropout(i32({2}), 0.5, true); }, {"int32"}});
  calls.push_back({"dropout", [] { dropout(Tensor(), 0.5, true); }, {"undefined"}});
  calls.push_back({"dropout2d", [] { dropout2d(f32({2, 3}), 0.5, true); }, {"4 dimensions", "[2, 3]"}});
}

void add_classification(std::vector<WrongCall>& calls) {
  calls.push_back({"log_softmax", [] { log_softmax(f32({3})); }, {"2 dimensions", "[3]"}});
  calls.push_back({"log_softmax", [] { log_softmax(f32({3, 0})); }, {"[3, 0]"}});
  calls.push_back({"log_softmax", [] { log_softmax(i32({3, 2})); }, {"int32"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({2, 3}), labels({0, 1, 2})); }, {"[2]", "[3]"}});
  calls.push_back({"nll_loss",
                   [] {
                     nll_loss(f32({2, 3}), labels({0, 3}));
                   },
                   {"target 3 at position 1", "[0, 3)"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({2, 3}), labels({-1, 0})); }, {"target -1 at position 0"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({2, 3}), i32({2})); }, {"int64", "int32"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({0, 3}), labels({})); }, {"empty batch"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({6}), labels({0})); }, {"[6]", "[1]"}});
  calls.push_back({"nll_loss", [] { nll_loss(f32({2, 3}), Tensor()); }, {"undefined"}});
  const auto scatter = [](const Tensor& gradient, const Tensor& target) {
    return [=] { apply<ops::NllLossScatter>({.classes = 3}, gradient, target); };
  };
  calls.push_back({"nll_loss_scatter", scatter(f32({2}), labels({0})), {"0 dimensions", "[2]"}});
  calls.push_back({"nll_loss_scatter", scatter(f32({}), labels({3})), {"target 3"}});
  calls.push_back({"nll_loss_scatter", scatter(f32({}), Tensor()), {"undefined"}});
  calls.push_back(
      {"nll_loss_scatter", scatter(f32({}), Tensor::full({}, 1, DType::int64)), {"1 dimensions", "[]"}});
}

std::vector<WrongCall> wrong_calls() {
  std::vector<WrongCall> calls;
  add_elementwise(calls);
  add_views(calls);
  add_reductions_and_products(calls);
  add_images(calls);
  add_classification(calls);
  for (const AddWrongCalls add : wrong_call_families()) add(calls);
  return calls;
}

TEST(WrongCalls, ThrowNamingTheOpAndWhatDisagrees) {
  for (const WrongCall& wrong : wrong_calls()) {
    const std::string message = error_of(wrong.call);
    EXPECT_EQ(message.rfind(wrong.op + ": ", 0), 0U) << wrong.op << " said '" << message << "'";
    for (const std::string& part : wrong.parts) EXPECT_TRUE(contains(message, part)) << part << " in: " << message;
    EXPECT_FALSE(contains(message, "\n")) << message;
  }
}

TEST(WrongCalls, AreTriedForEveryOp) {
  std::set<std::string> tried;
  for (const WrongCall& wrong : wrong_calls()) tried.insert(wrong.op);
  for (const OpInfo* op : all_ops()) {
    EXPECT_TRUE(tried.contains(std::string(op->name))) << "add a wrong call of '" << op->name << "'";
  }
}

TEST(WrongCalls, AnExpandTooLargeToCountReleasesTheTensor) {
  const Tensor x = f32({1});
  EXPECT_THROW((void)x.expand({two_to_40, two_to_40}), Error);
  EXPECT_THROW((void)x.expand({-2}), Error);
  EXPECT_EQ(x.impl()->storage->references, 1U);
}

}  // namespace
}  // namespace feral
