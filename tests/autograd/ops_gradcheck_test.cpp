// Every differentiable op of the registry against finite differences, its gradient's gradient included.
#include <gtest/gtest.h>

#include <set>

#include "autograd/ops/choice.hpp"
#include "autograd/ops/classification.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/dropout.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/pooling.hpp"
#include "autograd/ops/product.hpp"
#include "autograd/ops/reduction.hpp"
#include "autograd/ops/registry.hpp"
#include "autograd/ops/unary.hpp"
#include "autograd/ops/view_part.hpp"
#include "tests/autograd/op_cases.hpp"

namespace feral {
namespace {

using namespace testing_support;

void add_elementwise(std::vector<OpCase>& cases) {
  using Binary = Tensor (Tensor::*)(const Tensor&) const;
  const auto binary = [&](const char* name, Binary method) {
    const auto call = [method](const Inputs& x) { return (x[0].*method)(x[1]); };
    cases.push_back({name, "same shape", call, {leaf({2, 3}), leaf_away_from_zero({2, 3})}});
    cases.push_back({name, "row broadcast", call, {leaf({2, 3}), leaf_away_from_zero({3})}});
    cases.push_back({name, "column broadcast", call, {leaf({2, 1}), leaf_away_from_zero({2, 3})}});
    cases.push_back({name, "both broadcast", call, {leaf({2, 1, 3}), leaf_away_from_zero({4, 1})}});
    cases.push_back({name, "scalar", call, {leaf({}), leaf_away_from_zero({2, 2})}});
    cases.push_back({name,
                     "one tensor twice",
                     [method](const Inputs& x) { return (x[0].*method)(x[0]); },
                     {leaf_away_from_zero({5})}});
    cases.push_back({name,
                     "views",
                     [method](const Inputs& x) { return (turned(x[0]).*method)(x[1].narrow(1, 1, 2)); },
                     {leaf({2, 3}), leaf_away_from_zero({3, 4})}});
    cases.push_back({name, "empty", call, {leaf({0, 3}), leaf({3})}});
  };
  binary("add", &Tensor::add);
  binary("sub", &Tensor::sub);
  binary("mul", &Tensor::mul);
  binary("div", &Tensor::div);
  const auto unary = [&](const char* name, auto call, const std::function<Tensor(const Shape&)>& make) {
    cases.push_back({name, "contiguous", [call](const Inputs& x) { return call(x[0]); }, {make({3, 5})}});
    cases.push_back(
        {name, "view", [call](const Inputs& x) { return call(turned(x[0]).narrow(0, 1, 2)); }, {make({3, 4})}});
    cases.push_back({name,
                     "broadcast",
                     [call](const Inputs& x) {
                       return call(x[0].expand({3, 4}));
                     },
                     {make({4})}});
  };
  const auto any = [](const Shape& shape) { return leaf(shape); };
  const auto positive = [](const Shape& shape) { return leaf(shape, 0.3, 3); };
  unary(
      "affine", [](const Tensor& x) { return x.affine(-1.5, 0.25); }, any);
  unary(
      "exp", [](const Tensor& x) { return x.exp(); }, any);
  unary(
      "log", [](const Tensor& x) { return x.log(); }, positive);
  unary(
      "relu", [](const Tensor& x) { return x.relu(); }, leaf_away_from_zero);
  unary(
      "clone", [](const Tensor& x) { return x.clone(); }, any);
  const Tensor output = leaf_away_from_zero({3, 4}).detach().relu();
  const auto masked = [output](const Tensor& x) { return apply<ops::ReluBackward>({}, x, output); };
  cases.push_back({"relu_backward", "", [=](const Inputs& x) { return masked(x[0]); }, {leaf({3, 4})}});
  cases.push_back({"relu_backward", "view", [=](const Inputs& x) { return masked(turned(x[0])); }, {leaf({4, 3})}});
  cases.push_back({"relu_backward", "broadcast", [=](const Inputs& x) { return masked(x[0]); }, {leaf({4})}});
  // Linear, so a step may be as long as drowns the rounding to float32.
  Tensor exact = Tensor::from_vector<double>({1, -2.5, 0.375, 4}, {4});
  cases.push_back({"to",
                   "through float32",
                   [](const Inputs& x) { return x[0].to(DType::float32).to(DType::float64); },
                   {exact.set_requires_grad(true)},
                   {.step = 16}});
}

void add_functions(std::vector<OpCase>& cases) {
  using Unary = Tensor (Tensor::*)() const;
  struct Function {
    const char* name;
    Unary method;
    double low, high;  // where it is smooth
  };
  for (const Function& f : std::initializer_list<Function>{
           {"exp2", &Tensor::exp2, -2, 2},         {"expm1", &Tensor::expm1, -2, 2},
           {"log2", &Tensor::log2, 0.3, 3},        {"log10", &Tensor::log10, 0.3, 3},
           {"log1p", &Tensor::log1p, -0.6, 2},     {"sqrt", &Tensor::sqrt, 0.3, 3},
           {"rsqrt", &Tensor::rsqrt, 0.3, 3},      {"reciprocal", &Tensor::reciprocal, 0.3, 3},
           {"square", &Tensor::square, -2, 2},     {"abs", &Tensor::abs, 0.2, 2},
           {"abs", &Tensor::abs, -2, -0.2},        {"sin", &Tensor::sin, -2, 2},
           {"cos", &Tensor::cos, -2, 2},           {"tan", &Tensor::tan, -1, 1},
           {"asin", &Tensor::asin, -0.8, 0.8},     {"acos", &Tensor::acos, -0.8, 0.8},
           {"atan", &Tensor::atan, -2, 2},         {"sinh", &Tensor::sinh, -2, 2},
           {"cosh", &Tensor::cosh, -2, 2},         {"tanh", &Tensor::tanh, -2, 2},
           {"asinh", &Tensor::asinh, -2, 2},       {"acosh", &Tensor::acosh, 1.5, 3},
           {"atanh", &Tensor::atanh, -0.7, 0.7},   {"sigmoid", &Tensor::sigmoid, -3, 3},
           {"softplus", &Tensor::softplus, -3, 3}, {"erf", &Tensor::erf, -2, 2},
           {"erfc", &Tensor::erfc, -2, 2},         {"sign", &Tensor::sign, 0.2, 2},
           {"floor", &Tensor::floor, 0.1, 0.9},    {"ceil", &Tensor::ceil, 0.1, 0.9},
           {"trunc", &Tensor::trunc, 0.1, 0.9},    {"round", &Tensor::round, 0.6, 1.4}}) {
    const Unary method = f.method;
    cases.push_back({f.name,
                     "contiguous",
                     [method](const Inputs& x) { return (x[0].*method)(); },
                     {leaf({3, 4}, f.low, f.high)}});
    cases.push_back({f.name,
                     "view",
                     [method](const Inputs& x) { return (turned(x[0]).narrow(0, 1, 2).*method)(); },
                     {leaf({3, 4}, f.low, f.high)}});
    cases.push_back({f.name,
                     "broadcast",
                     [method](const Inputs& x) {
                       return (x[0].expand({3, 4}).*method)();
                     },
                     {leaf({4}, f.low, f.high)}});
  }
  using Binary = Tensor (Tensor::*)(const Tensor&) const;
  for (const auto& [name, method] : {std::pair<const char*, Binary>{"maximum", &Tensor::maximum},
                                     {"minimum", &Tensor::minimum},
                                     {"pow", &Tensor::pow},
                                     {"atan2", &Tensor::atan2},
                                     {"hypot", &Tensor::hypot},
                                     {"fmod", &Tensor::fmod},
                                     {"remainder", &Tensor::remainder},
                                     {"logaddexp", &Tensor::logaddexp}}) {
    // Apart from each other, and from where a remainder jumps: b in (1, 1.4), a in (1.5, 1.9).
    const auto call = [method = method](const Inputs& x) { return (x[0].*method)(x[1]); };
    cases.push_back({name, "same shape", call, {leaf({2, 3}, 1.5, 1.9), leaf({2, 3}, 1, 1.4)}});
    cases.push_back({name, "the other way", call, {leaf({2, 3}, 1, 1.4), leaf({2, 3}, 1.5, 1.9)}});
    cases.push_back({name, "broadcast", call, {leaf({2, 1}, 1.5, 1.9), leaf({3}, 1, 1.4)}});
    cases.push_back({name,
                     "views",
                     [method = method](const Inputs& x) { return (turned(x[0]).*method)(x[1].narrow(1, 1, 2)); },
                     {leaf({2, 3}, 1.5, 1.9), leaf({3, 4}, 1, 1.4)}});
  }
  const Tensor condition = leaf({2, 3}).detach().gt(0);
  cases.push_back({"where",
                   "same shape",
                   [=](const Inputs& x) { return where(condition, x[0], x[1]); },
                   {leaf({2, 3}), leaf({2, 3})}});
  cases.push_back({"where",
                   "broadcast",
                   [=](const Inputs& x) { return where(condition, x[0], x[1]).exp(); },
                   {leaf({3}), leaf({2, 1})}});
}

void add_views_and_sums(std::vector<OpCase>& cases) {
  cases.push_back({"reshape",
                   "of contiguous",
                   [](const Inputs& x) {
                     return x[0].reshape({3, -1});
                   },
                   {leaf({2, 6})}});
  cases.push_back({"reshape",
                   "of a turned view",
                   [](const Inputs& x) {
                     return turned(x[0]).reshape({2, 3});
                   },
                   {leaf({2, 3})}});
  cases.push_back(
      {"reshape", "of a gap", [](const Inputs& x) { return x[0].narrow(1, 0, 3).reshape({6}); }, {leaf({2, 4})}});
  cases.push_back({"transpose", "", [](const Inputs& x) { return x[0].transpose(0, 2); }, {leaf({2, 3, 4})}});
  cases.push_back({"expand", "", [](const Inputs& x) { return x[0].expand({4, 2, 3}); }, {leaf({2, 1})}});
  cases.push_back({"expand", "a scalar", [](const Inputs& x) { return x[0].expand({2, 3}); }, {leaf({})}});
  cases.push_back({"narrow", "", [](const Inputs& x) { return x[0].narrow(1, 1, 2); }, {leaf({3, 4})}});
  cases.push_back(
      {"narrow", "of a view", [](const Inputs& x) { return turned(x[0]).narrow(-1, 1, 1); }, {leaf({2, 3})}});
  cases.push_back({"view_backward",
                   "",
                   [](const Inputs& x) {
                     return apply<ops::ViewBackward>({.shape = {3, 5}, .part = {{3, 2}, {5, 1}, 2}}, x[0]);
                   },
                   {leaf({3, 2})}});
  cases.push_back({"view_backward",
                   "of a view",
                   [](const Inputs& x) {
                     return apply<ops::ViewBackward>({.shape = {5, 2}, .part = {{3, 2}, {2, 1}, 2}}, turned(x[0]));
                   },
                   {leaf({2, 3})}});
  cases.push_back({"sum_to", "all", [](const Inputs& x) { return x[0].sum_to({}); }, {leaf({2, 3})}});
  cases.push_back({"sum_to", "some", [](const Inputs& x) { return x[0].sum_to({3, 1}); }, {leaf({2, 3, 4})}});
}

void add_products(std::vector<OpCase>& cases) {
  const auto product = [](const Inputs& x) { return x[0].matmul(x[1]); };
  cases.push_back({"matmul", "", product, {leaf({2, 3}), leaf({3, 4})}});
  cases.push_back({"matmul",
                   "turned",
                   [](const Inputs& x) { return turned(x[0]).matmul(turned(x[1])); },
                   {leaf({3, 2}), leaf({4, 3})}});
  cases.push_back({"matmul",
                   "broadcast",
                   [](const Inputs& x) {
                     return x[0].expand({2, 3}).matmul(x[1]);
                   },
                   {leaf({3}), leaf({3, 2})}});
  cases.push_back({"matmul", "with itself", [](const Inputs& x) { return x[0].matmul(x[0]); }, {leaf({3, 3})}});
  cases.push_back({"matmul", "of nothing", product, {leaf({2, 0}), leaf({0, 3})}});
  cases.push_back({"linear",
                   "with bias",
                   [](const Inputs& x) { return linear(x[0], x[1], x[2]); },
                   {leaf({4, 3}), leaf({2, 3}), leaf({2})}});
  cases.push_back(
      {"linear", "without bias", [](const Inputs& x) { return linear(x[0], x[1]); }, {leaf({4, 3}), leaf({2, 3})}});
  cases.push_back({"linear",
                   "views",
                   [](const Inputs& x) { return linear(turned(x[0]), turned(x[1]), x[2]); },
                   {leaf({3, 4}), leaf({3, 2}), leaf({2})}});
}

void add_images(std::vector<OpCase>& cases) {
  const DropoutDraw draw{.probability = 0.4F, .position = {.seed = 3}};
  cases.push_back(
      {"dropout", "elements", [=](const Inputs& x) { return apply<ops::Dropout>(draw, x[0]); }, {leaf({4, 5})}});
  DropoutDraw planes = draw;
  planes.group = 6;
  cases.push_back({"dropout",
                   "planes of a view",
                   [=](const Inputs& x) { return apply<ops::Dropout>(planes, x[0].transpose(2, 3)); },
                   {leaf({2, 2, 2, 3})}});
}

void add_classification(std::vector<OpCase>& cases) {
  const Tensor target = Tensor::from_vector<std::int64_t>({2, 0, 2}, {3});
  cases.push_back({"nll_loss", "", [=](const Inputs& x) { return nll_loss(x[0], target); }, {leaf({3, 4})}});
  cases.push_back(
      {"nll_loss", "view", [=](const Inputs& x) { return nll_loss(turned(x[0]), target); }, {leaf({4, 3})}});
  cases.push_back({"nll_loss",
                   "cross entropy",
                   [=](const Inputs& x) { return nll_loss(log_softmax(x[0]), target); },
                   {leaf({3, 4})}});
  cases.push_back({"nll_loss_scatter",
                   "",
                   [=](const Inputs& x) { return apply<ops::NllLossScatter>({.classes = 4}, x[0], target); },
                   {leaf({})}});
}

// All cases, their inputs made anew.
std::vector<OpCase> op_cases() {
  numbers = Numbers(71);
  std::vector<OpCase> cases;
  add_elementwise(cases);
  add_functions(cases);
  add_views_and_sums(cases);
  add_products(cases);
  add_images(cases);
  add_classification(cases);
  for (const AddOpCases add : op_case_families()) add(cases);
  return cases;
}

// Whether an op of that name stands on the tape of `tensor`.
bool records(const Tensor& tensor, const std::string& name) {
  std::vector<Node*> open = {node_of(tensor)};
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (node->op->name == name) return true;
    for (int i = 0; i < node->edge_count; ++i) {
      if (node->edges[i].node != nullptr) open.push_back(node->edges[i].node);
    }
  }
  return false;
}

TEST(OpRegistry, NamesAreUniqueAndDescriptionsWhole) {
  std::set<std::string_view> names;
  for (const OpInfo* op : all_ops()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name << " stands twice";
    EXPECT_TRUE(op->arity >= 1 || op->arity == variadic) << op->name;
    EXPECT_EQ(op->gradient != nullptr, op->differentiable) << op->name;
    EXPECT_EQ(op->release_saved != nullptr, op->differentiable) << op->name;
  }
  EXPECT_GE(names.size(), 30U);
}

TEST(OpRegistry, EveryDifferentiableOpHasAGradcheckCase) {
  std::set<std::string> covered;
  for (const OpCase& c : op_cases()) covered.insert(c.op);
  for (const OpInfo* op : all_ops()) {
    if (!op->differentiable) continue;
    EXPECT_EQ(covered.erase(std::string(op->name)), 1U) << "add cases for '" << op->name << "'";
  }
  EXPECT_TRUE(covered.empty()) << "'" << *covered.begin() << "' is no op of the registry";
}

TEST(OpRegistry, EveryCaseRecordsTheOpItIsNamedAfter) {
  for (const OpCase& c : op_cases()) EXPECT_TRUE(records(c.function(c.inputs), c.op)) << c.op << " " << c.detail;
}

TEST(OpGradients, AgreeWithFiniteDifferences) {
  for (const OpCase& c : op_cases())
    EXPECT_EQ(gradcheck(c.function, c.inputs, c.options), "") << c.op << " " << c.detail;
}

TEST(OpGradients, HaveGradientsThatAgreeWithFiniteDifferences) {
  for (OpCase& c : op_cases()) {
    if (!c.twice) {
      EXPECT_TRUE(contains(error_of([&] { c.function(c.inputs).sum().backward({}, false, true); }), c.op)) << c.op;
      continue;
    }
    // Multiplied with a further input, so that the derivative by the arriving gradient is checked too.
    const Shape shape = c.function(c.inputs).shape();
    const auto weighted = [&](const Inputs& x) { return c.function({x.begin(), x.end() - 1}) * x.back(); };
    c.inputs.push_back(leaf(shape));
    EXPECT_EQ(gradgradcheck(weighted, c.inputs, c.options), "") << c.op << " " << c.detail;
  }
}

}  // namespace
}  // namespace feral
