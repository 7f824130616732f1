// What all optimizers share: groups, state, rows, errors.
#include "optim/optimizer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "feral.hpp"
#include "optim/rule.hpp"
#include "tests/support/messages.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::optim {
namespace {

using support::error_of;
using support::has;
using testing_support::Numbers;

Tensor ones_with_gradient(const Shape& shape, double gradient = 1) {
  const Tensor x = Tensor::ones(shape);
  x.set_grad(Tensor::full(shape, gradient));
  return x;
}

constexpr Rule all_rules[] = {Rule::sgd,     Rule::adam,     Rule::adamw,   Rule::adamax, Rule::nadam, Rule::radam,
                              Rule::adagrad, Rule::adadelta, Rule::rmsprop, Rule::rprop,  Rule::asgd};

std::unique_ptr<Optimizer> any(Rule rule, std::vector<Tensor> parameters) {
  RuleOptions options = default_options(rule);
  options.momentum = 0.5;
  return make_optimizer(rule, std::move(parameters), options);
}

TEST(Optimizer, GroupsHaveOptionsOfTheirOwn) {
  const Tensor x = ones_with_gradient({2});
  const Tensor y = ones_with_gradient({2});
  const Tensor z = ones_with_gradient({2});
  SGD optimizer({SGD::Group{{x}, {.lr = 0.5}}, SGD::Group{{y}, {.lr = 0.25, .momentum = 0.5, .maximize = true}}});
  optimizer.add_param_group({{z}, {.lr = 0.125, .weight_decay = 1}});
  optimizer.step();
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0.5, 0.5}));
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{1.25, 1.25}));
  EXPECT_EQ(z.to_vector<float>(), (std::vector<float>{0.75, 0.75}));
  EXPECT_EQ(optimizer.group_count(), 3U);
  EXPECT_EQ(optimizer.options(1).momentum, 0.5);
  EXPECT_EQ(optimizer.parameters().size(), 3U);
  EXPECT_TRUE(
      has(error_of([&] { optimizer.add_param_group({{Tensor::ones({1})}}); }), {"SGD", "before the first step"}));
}

TEST(Optimizer, RatesAreSetForAllForOneOrByAFactor) {
  SGD optimizer({SGD::Group{{Tensor::ones({1})}, {.lr = 1}}, SGD::Group{{Tensor::ones({1})}, {.lr = 0.5}}});
  optimizer.set_lr_factor(0.5);
  EXPECT_EQ(optimizer.lr(0), 0.5);
  EXPECT_EQ(optimizer.lr(1), 0.25);
  optimizer.set_lr(1, 7);
  EXPECT_EQ(optimizer.lr(1), 7);
  optimizer.set_lr(3);
  EXPECT_EQ(optimizer.lr(0), 3);
  EXPECT_EQ(optimizer.initial_lr(0), 1);
  optimizer.set_lr_factor(1);
  EXPECT_EQ(optimizer.lr(1), 0.5);
}

TEST(Optimizer, MomentumIsBetaOneWhereThereIsNone) {
  Adam adam({Tensor::ones({1})});
  EXPECT_TRUE(adam.has_momentum());
  adam.set_momentum(0.25);
  EXPECT_EQ(adam.options().betas.first, 0.25);
  EXPECT_EQ(adam.options().betas.second, 0.999);
  SGD plain({Tensor::ones({1})}, {.lr = 1});
  plain.set_momentum(0.5);
  EXPECT_EQ(plain.options().momentum, 0) << "it has no state for one";
  Adagrad adagrad({Tensor::ones({1})});
  EXPECT_FALSE(adagrad.has_momentum());
  adagrad.set_momentum(0.5);
}

TEST(Optimizer, CountsTheStepsOfEachParameter) {
  const Tensor x = ones_with_gradient({2});
  const Tensor y = Tensor::ones({2});
  Adam optimizer({x, y});
  EXPECT_EQ(optimizer.step_count(0), 0U);
  optimizer.step();
  optimizer.step();
  y.set_grad(Tensor::ones({2}));
  optimizer.step();
  EXPECT_EQ(optimizer.step_count(0), 3U);
  EXPECT_EQ(optimizer.step_count(1), 1U);
  EXPECT_TRUE(has(error_of([&] { (void)optimizer.step_count(2); }), {"Adam: parameter 2 of 2"}));
}

TEST(Optimizer, AStepEvaluatesItsClosureWithGradientsRecorded) {
  const Tensor x = Tensor::ones({2}).set_requires_grad(true);
  SGD optimizer({x}, {.lr = 0.5});
  const NoGradGuard no_grad;
  const Tensor loss = optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor result = (x * x).sum();
    result.backward();
    return result;
  });
  EXPECT_EQ(loss.item(), 2);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0, 0}));
}

// --- state

TEST(Optimizer, StateIsLaidOutAsFlatParametersAfterTheCounts) {
  const Tensor x = Tensor::ones({3, 7});               // 84 bytes, in 128
  const Tensor y = Tensor::ones({2}, DType::float64);  // 16, in 64
  Adam optimizer({x, y}, {.amsgrad = true});
  EXPECT_EQ(optimizer.state_bytes(), 64U + 3 * (128 + 64));
  std::vector<std::string> names;
  const std::vector<NamedState> states = optimizer.named_state();
  const std::byte* base = states[0].tensor.raw_data();
  std::set<std::ptrdiff_t> places;
  for (const NamedState& state : states) {
    names.push_back(state.name);
    places.insert(state.tensor.raw_data() - base);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"0.step", "0.exp_avg_sq", "0.max_exp_avg_sq", "0.exp_avg", "1.step",
                                             "1.exp_avg_sq", "1.max_exp_avg_sq", "1.exp_avg"}));
  EXPECT_EQ(places, (std::set<std::ptrdiff_t>{0, 8, 64, 192, 256, 384, 448, 576}));
  EXPECT_EQ(states[5].tensor.to_string(), "Tensor float64 [2]");
}

// A run that is interrupted, saved and taken up by a new optimizer ends where an uninterrupted one ends, to the
// bit.
TEST(Optimizer, SavedStateGoesOnToTheBit) {
  for (const Rule rule : all_rules) {
    const auto train = [](Optimizer& optimizer, const Tensor& x, int from, int to) {
      for (int step = from; step < to; ++step) {
        Numbers numbers(static_cast<std::uint64_t>(step));
        x.set_grad(numbers.tensor<float>({21}));
        optimizer.step();
      }
    };
    const Tensor whole = Tensor::linspace(-1, 1, 21);
    const auto uninterrupted = any(rule, {whole});
    train(*uninterrupted, whole, 0, 10);

    const Tensor part = Tensor::linspace(-1, 1, 21);
    std::map<std::string, Tensor> saved;
    {
      const auto first = any(rule, {part});
      train(*first, part, 0, 6);
      for (const NamedState& state : first->named_state()) saved[state.name] = state.tensor.clone();
    }
    const auto second = any(rule, {part});
    second->load_state(saved);
    train(*second, part, 6, 10);
    EXPECT_EQ(part.to_vector<float>(), whole.to_vector<float>()) << name_of(rule);
    EXPECT_EQ(second->step_count(), 10U);
  }
}

TEST(Optimizer, RefusesAStateThatIsNotItsOwn) {
  const Tensor x = ones_with_gradient({3});
  Adam optimizer({x});
  optimizer.step();
  std::map<std::string, Tensor> good;
  for (const NamedState& state : optimizer.named_state()) good[state.name] = state.tensor.clone();
  auto wrong = good;
  wrong["0.sum"] = Tensor::ones({3});
  EXPECT_TRUE(has(error_of([&] { optimizer.load_state(wrong); }), {"Adam", "no state '0.sum'"}));
  wrong = good;
  wrong.erase("0.exp_avg");
  EXPECT_TRUE(has(error_of([&] { optimizer.load_state(wrong); }), {"Adam", "'0.exp_avg' is missing"}));
  wrong = good;
  wrong["0.exp_avg"] = Tensor::ones({4});
  EXPECT_TRUE(has(error_of([&] { optimizer.load_state(wrong); }), {"'0.exp_avg'", "[4]", "[3]"}));
  EXPECT_EQ(optimizer.step_count(), 1U);
}

TEST(Optimizer, StateBeginsWithItsInitialValuesWhereverItLies) {
  const Tensor x = ones_with_gradient({3});
  const Tensor y = ones_with_gradient({3});
  const AdagradOptions options{.lr = 0.5, .initial_accumulator_value = 3};
  Adagrad own({x}, options);
  Adagrad bound({y}, options);
  const Tensor memory = Tensor::zeros({static_cast<std::int64_t>(bound.state_bytes())}, DType::uint8);
  const std::span<std::byte> region(memory.raw_data(), bound.state_bytes());
  bound.initialize_state(region);
  bound.bind_state(region);
  own.step();
  bound.step();
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>(3, 0.75)));
  EXPECT_EQ(y.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(bound.named_state()[1].tensor.to_vector<float>(), std::vector<float>(3, 4));
}

TEST(Optimizer, RefusesARegionThatDoesNotFit) {
  alignas(64) std::byte memory[256] = {};
  Adam optimizer({Tensor::ones({3})});
  ASSERT_EQ(optimizer.state_bytes(), 192U);
  EXPECT_TRUE(has(error_of([&] { optimizer.bind_state({memory, 128}); }), {"Adam: 128 bytes", "192"}));
  EXPECT_TRUE(has(error_of([&] { optimizer.bind_state({memory + 8, 192}); }), {"Adam", "boundary of 64"}));
  EXPECT_TRUE(has(error_of([&] { optimizer.initialize_state({memory, 128}); }), {"Adam: 128 bytes"}));
}

// --- rows

TEST(Optimizer, RulesThatChangeEveryRowRefuseRows) {
  const Tensor table = Tensor::ones({4, 3});
  const Tensor rows = Tensor::from_vector<std::int64_t>({1}, {1});
  const Tensor values = Tensor::ones({1, 3});
  for (const Rule rule : all_rules) {
    if (rule == Rule::adagrad) continue;
    const auto optimizer = any(rule, {table});
    EXPECT_TRUE(has(error_of([&] { optimizer->step_rows(table, rows, values); }),
                    {"parameter 0 has a sparse gradient", rule == Rule::sgd ? "momentum" : "dense gradients only"}))
        << name_of(rule);
  }
  const auto refused = [&](Optimizer& optimizer) {
    return has(error_of([&] { optimizer.step_rows(table, rows, values); }),
               {"weight decay would change every row"});
  };
  SGD sgd({table}, {.weight_decay = 0.1});
  Adagrad adagrad({table}, {.weight_decay = 0.1});
  EXPECT_TRUE(refused(sgd));
  EXPECT_TRUE(refused(adagrad));
  EXPECT_EQ(table.to_vector<float>(), std::vector<float>(12, 1));
}

TEST(Optimizer, SparseAdamRefusesADenseGradient) {
  const Tensor table = Tensor::ones({4, 3});
  table.set_sparse_grad({Tensor::arange(1), Tensor::ones({1, 3})});
  const Tensor dense = ones_with_gradient({2});
  SparseAdam optimizer({table, dense});
  EXPECT_TRUE(has(error_of([&] { optimizer.step(); }), {"SparseAdam: parameter 1 has a dense gradient", "Adam"}));
  EXPECT_EQ(table.to_vector<float>(), std::vector<float>(12, 1)) << "refused before anything is written";
}

TEST(Optimizer, RefusesRowsThatDoNotFitBeforeAnythingIsWritten) {
  const Tensor table = Tensor::ones({4, 3});
  SparseAdam optimizer({table});
  const auto refused = [&](const std::vector<std::int64_t>& rows, const Tensor& values,
                           const std::vector<std::string>& parts) {
    return has(error_of([&] {
                 optimizer.step_rows(table, Tensor::from_vector(rows, {static_cast<std::int64_t>(rows.size())}),
                                     values);
               }),
               parts);
  };
  const Tensor two = Tensor::ones({2, 3});
  EXPECT_TRUE(refused({0, 4}, two, {"row 4 after row 0", "[4, 3]"}));
  EXPECT_TRUE(refused({-1, 2}, two, {"row -1"}));
  EXPECT_TRUE(refused({2, 2}, two, {"row 2 after row 2"}));
  EXPECT_TRUE(refused({2, 1}, two, {"row 1 after row 2"}));
  EXPECT_TRUE(refused({0, 1, 2}, two, {"int64 [3]", "[2, 3]"}));
  EXPECT_TRUE(refused({0, 1}, Tensor::ones({2, 4}), {"[2, 4]"}));
  EXPECT_TRUE(refused({0, 1}, Tensor::ones({2, 3}, DType::float64), {"float64"}));
  EXPECT_TRUE(has(error_of([&] { optimizer.step_rows(Tensor::ones({4, 3}), Tensor::arange(2), two); }), {"none"}));
  EXPECT_EQ(table.to_vector<float>(), std::vector<float>(12, 1));
  EXPECT_EQ(optimizer.step_count(), 0U);
  optimizer.step_rows(table, Tensor::empty({0}, DType::int64), Tensor::empty({0, 3}));
  EXPECT_EQ(table.to_vector<float>(), std::vector<float>(12, 1));
}

TEST(Optimizer, TakesTheSparseGradientThatAnEmbeddingLeaves) {
  const auto trained = [](auto make, bool sparse) {
    const Tensor table = Tensor::linspace(-1, 1, 60).reshape({12, 5}).detach().set_requires_grad(true);
    const auto optimizer = make(std::vector<Tensor>{table});
    const Tensor indices = Tensor::from_vector<std::int64_t>({3, 7, 3, 11}, {4});
    for (int step = 0; step < 5; ++step) {
      optimizer->zero_grad();
      embedding(table, indices, {.sparse = sparse}).square().sum().backward();
      EXPECT_EQ(table.sparse_grad().defined(), sparse);
      optimizer->step();
    }
    return table.to_vector<double>();
  };
  const auto sgd = [](std::vector<Tensor> p) { return std::make_unique<SGD>(p, SGDOptions{.lr = 0.1}); };
  const auto adagrad = [](std::vector<Tensor> p) {
    return std::make_unique<Adagrad>(p, AdagradOptions{.lr = 0.1});
  };
  const auto near = [](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << i;
  };
  near(trained(sgd, true), trained(sgd, false));
  near(trained(adagrad, true), trained(adagrad, false));
  const auto sparse_adam = [](std::vector<Tensor> p) { return std::make_unique<SparseAdam>(p); };
  const std::vector<double> moved = trained(sparse_adam, true);
  EXPECT_NEAR(moved[0], -1, 1e-7) << "row 0 was not read";
  EXPECT_NE(moved[15], Tensor::linspace(-1, 1, 60).to_vector<double>()[15]);
  EXPECT_TRUE(has(error_of([&] { trained([](std::vector<Tensor> p) { return std::make_unique<Adam>(p); }, true); }),
                  {"Adam: parameter 0 has a sparse gradient", "dense gradients only"}));
}

TEST(Optimizer, BothKindsOfGradientAddUp) {
  const Tensor table = Tensor::ones({3, 2}).set_requires_grad(true);
  table.set_grad(Tensor::ones({3, 2}));
  table.set_sparse_grad({Tensor::from_vector<std::int64_t>({1}, {1}), Tensor::full({1, 2}, 2)});
  SGD optimizer({table}, {.lr = 0.25, .momentum = 0.5});
  optimizer.step();
  EXPECT_EQ(table.to_vector<float>(), (std::vector<float>{0.75, 0.75, 0.25, 0.25, 0.75, 0.75}));
  EXPECT_TRUE(table.sparse_grad().defined()) << "gradients stay";
  EXPECT_EQ(table.grad().to_vector<float>(), std::vector<float>(6, 1));
}

TEST(Optimizer, AStepMakesSavedParametersStale) {
  const Tensor x = Tensor::ones({2}).set_requires_grad(true);
  SGD optimizer({x}, {.lr = 0.5});
  const Tensor loss = (x * x).sum();
  x.set_grad(Tensor::ones({2}));
  optimizer.step();
  EXPECT_NE(error_of([&] { loss.backward(); }), "");
}

// --- what is refused

TEST(Optimizer, RefusesAParameterThatWasConvertedSince) {
  nn::Linear layer(3, 2);
  Adam optimizer(layer.parameters());
  optimizer.step();
  layer.to(DType::float64);
  layer(Tensor::ones({1, 3}, DType::float64)).sum().backward();
  EXPECT_TRUE(has(error_of([&] { optimizer.step(); }), {"Adam: parameter 0 has become", "float64", "float32"}));
}

TEST(Optimizer, RefusesParametersItCannotUpdateInPlace) {
  const auto message_of = [](const Tensor& parameter) {
    return error_of([&] { Adam({Tensor::ones({1}), parameter}); });
  };
  EXPECT_TRUE(has(message_of(Tensor()), {"Adam: parameter 1 is undefined"}));
  EXPECT_TRUE(has(message_of(Tensor::ones({2, 3}).transpose(0, 1)), {"Adam: parameter 1 must be contiguous"}));
  EXPECT_TRUE(has(message_of(Tensor::ones({2}, DType::int32)), {"int32"}));
  const Tensor twice = Tensor::ones({1});
  EXPECT_TRUE(has(error_of([&] { Adam({twice, twice}); }), {"Adam: parameter 1 stands in the list twice"}));
  EXPECT_TRUE(has(error_of([&] { Adam({Adam::Group{{twice}}, Adam::Group{{twice}}}); }), {"twice"}));
}

TEST(Optimizer, RefusesOptionsOutOfRangeInTheRulesName) {
  const std::vector<Tensor> p = {Tensor::ones({1})};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [&](auto make, const std::vector<std::string>& parts) { return has(error_of(make), parts); };
  EXPECT_TRUE(refused([&] { Adam(p, {.lr = -1}); }, {"Adam: the learning rate", "-1"}));
  EXPECT_TRUE(refused([&] { Adam(p, {.betas = {1, 0.9}}); }, {"Adam: the first of betas", "[0, 1)"}));
  EXPECT_TRUE(refused([&] { Adam(p, {.betas = {0.9, nan}}); }, {"Adam: the second of betas"}));
  EXPECT_TRUE(refused([&] { Adam(p, {.eps = -1}); }, {"Adam: eps"}));
  EXPECT_TRUE(refused([&] { Adamax(p, {.weight_decay = nan}); }, {"Adamax: weight decay"}));
  EXPECT_TRUE(refused([&] { NAdam(p, {.momentum_decay = -1}); }, {"NAdam: momentum decay"}));
  EXPECT_TRUE(refused([&] { RAdam(p, {.betas = {2, 0.5}}); }, {"RAdam: the first of betas"}));
  EXPECT_TRUE(refused([&] { Adagrad(p, {.lr_decay = -1}); }, {"Adagrad: lr decay"}));
  EXPECT_TRUE(refused([&] { Adagrad(p, {.initial_accumulator_value = -1}); }, {"Adagrad: initial"}));
  EXPECT_TRUE(refused([&] { Adadelta(p, {.rho = 1}); }, {"Adadelta: rho"}));
  EXPECT_TRUE(refused([&] { RMSprop(p, {.alpha = 1}); }, {"RMSprop: alpha"}));
  EXPECT_TRUE(refused([&] { RMSprop(p, {.momentum = 1}); }, {"RMSprop: momentum"}));
  EXPECT_TRUE(refused([&] { Rprop(p, {.etaminus = 1}); }, {"Rprop: etas", "1 and 1.2"}));
  EXPECT_TRUE(refused([&] { Rprop(p, {.step_size_min = 2, .step_size_max = 1}); }, {"Rprop: step sizes"}));
  EXPECT_TRUE(refused([&] { ASGD(p, {.lambd = -1}); }, {"ASGD: lambd"}));
  EXPECT_TRUE(refused([&] { SparseAdam(p, {.eps = nan}); }, {"SparseAdam: eps"}));
  EXPECT_TRUE(refused([&] { LBFGS(p, {.max_iter = 0}); }, {"LBFGS: max_iter"}));
}

TEST(Optimizer, RulesHaveNamesAndPyTorchsDefaults) {
  EXPECT_EQ(list_of_rules(),
            "sgd, adam, adamw, adamax, nadam, radam, adagrad, adadelta, rmsprop, rprop, asgd, lbfgs");
  EXPECT_EQ(default_options(Rule::adamw).weight_decay, 0.01);
  EXPECT_EQ(default_options(Rule::adadelta).lr, 1.0);
  EXPECT_EQ(default_options(Rule::lbfgs).lr, 1.0);
  for (int i = 0; i < rule_count; ++i) {
    const auto rule = static_cast<Rule>(i);
    const Tensor x = ones_with_gradient({2});
    const auto optimizer = make_optimizer(rule, {x}, {.lr = 0.125, .momentum = 0.5, .weight_decay = 0.25});
    EXPECT_EQ(optimizer->lr(), 0.125) << name_of(rule);
    EXPECT_EQ(optimizer->needs_closure(), rule == Rule::lbfgs);
  }
}

TEST(Optimizer, AGateMayLeaveAStepOut) {
  struct EverySecond final : StepGate {
    bool enter(Optimizer&) override { return ++entered % 2 == 1; }
    void leave(Optimizer&) override { ++left; }
    int entered = 0;
    int left = 0;
  } gate;
  const Tensor x = ones_with_gradient({2});
  SGD optimizer({x}, {.lr = 0.25});
  optimizer.set_gate(&gate);
  optimizer.step();
  const double after_one = x.to_vector<float>()[0];
  optimizer.step();
  EXPECT_EQ(x.to_vector<float>()[0], after_one);
  EXPECT_EQ(optimizer.step_count(), 1U);
  optimizer.step();
  EXPECT_NE(x.to_vector<float>()[0], after_one);
  EXPECT_EQ(gate.entered, 3);
  EXPECT_EQ(gate.left, 2);
}

TEST(Optimizer, AGroupThatIsNotThereIsAnErrorThatSaysHowManyThereAre) {
  SGD optimizer({Tensor::ones({2})}, {});
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { optimizer.lr(7); }, [&] { optimizer.set_lr(7, 0.1); }, [&] { optimizer.options(7); }}) {
    EXPECT_TRUE(has(error_of(call), {"SGD: ", "group 7", "there are 1"}));
  }
}

}  // namespace
}  // namespace feral::optim
