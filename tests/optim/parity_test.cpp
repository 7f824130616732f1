// Fifty steps of every optimizer and every schedule against PyTorch's (tests/optim/generate.py, whose problem and
// options are repeated here).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include "feral.hpp"

namespace feral::optim {
namespace {

constexpr int steps = 50;
const std::vector<int> kept = {1, 2, 3, 10, 25, 50};
const std::vector<int> lbfgs_kept = {1, 2, 3, 5};

const std::map<std::string, Tensor>& fixture() {
  static const std::map<std::string, Tensor> arrays = load_npz(FERAL_SOURCE_DIR "/tests/fixtures/optim/optim.npz");
  return arrays;
}

// --- the problem

template <class T>
T factor(std::int64_t i) {
  return static_cast<T>(0.5) + static_cast<T>(i % 4) / 4;
}
template <class T>
T center(std::int64_t i) {
  return static_cast<T>((5 * i) % 9 - 4) / 8;
}

template <class T>
Tensor start(std::int64_t k, const Shape& shape) {
  std::vector<T> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    values[i] = static_cast<T>((7 * n + 3 * k) % 13 - 6) / 8;
  }
  return Tensor::from_vector(values, shape).set_requires_grad(true);
}

template <class T>
Tensor gradient(const Tensor& parameter, std::int64_t k, std::int64_t t) {
  std::vector<T> values = parameter.to_vector<T>();
  for (std::size_t n = 0; n < values.size(); ++n) {
    const auto i = static_cast<std::int64_t>(n);
    const T noise = static_cast<T>((7 * t + 3 * i + k) % 11 - 5) / 16;
    values[n] = factor<T>(i) * (values[n] - center<T>(i)) + noise;
  }
  return Tensor::from_vector(values, parameter.shape());
}

std::vector<std::int64_t> rows_at(std::int64_t k, std::int64_t t) {
  if (k != 0) return t % 5 < 4 ? std::vector<std::int64_t>{t % 5, t % 5 + 1} : std::vector<std::int64_t>{t % 5};
  std::set<std::int64_t> rows = {t % 3};
  if (t % 2 == 0) rows.insert((t + 1) % 3);
  return {rows.begin(), rows.end()};
}

template <class T>
Tensor lbfgs_loss(const std::vector<Tensor>& parameters) {
  const Tensor w = parameters[0].flatten();
  Tensor loss = (w.narrow(0, 0, 11) * w.narrow(0, 1, 11)).sum() * 0.1;
  for (const Tensor& parameter : parameters) {
    std::vector<T> a;
    std::vector<T> c;
    for (std::int64_t i = 0; i < parameter.numel(); ++i) {
      a.push_back(factor<T>(i));
      c.push_back(center<T>(i));
    }
    const Tensor off = parameter - Tensor::from_vector(c, parameter.shape());
    const Tensor square = off * off;
    loss = loss + (Tensor::from_vector(a, parameter.shape()) * square).sum() / 2 + (square * square).sum() / 4;
  }
  return loss;
}

// --- the cases

using Factory = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;

// An optimizer with the two parameters in groups of their own, the second at half the rate.
template <class Made, class Options>
Factory with(Options options) {
  return [options](const std::vector<Tensor>& p) {
    Options half = options;
    half.lr = options.lr / 2;
    return std::make_unique<Made>(std::vector<ParameterGroup<Options>>{{{p[0]}, options}, {{p[1]}, half}});
  };
}

Factory lbfgs(LBFGSOptions options) {
  return [options](const std::vector<Tensor>& p) { return std::make_unique<LBFGS>(p, options); };
}

const std::map<std::string, Factory>& optimizers() {
  static const std::map<std::string, Factory> cases = {
      {"SGD/plain", with<SGD>(SGDOptions{.lr = 0.1})},
      {"SGD/momentum", with<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01})},
      {"SGD/nesterov", with<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.8, .nesterov = true})},
      {"SGD/dampening", with<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.7, .dampening = 0.3, .maximize = true})},
      {"Adam/plain", with<Adam>(AdamOptions{.lr = 0.05})},
      {"Adam/options", with<Adam>(AdamOptions{
                           .lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.1, .maximize = true})},
      {"Adam/amsgrad", with<Adam>(AdamOptions{.lr = 0.1, .betas = {0.9, 0.9}, .amsgrad = true})},
      {"AdamW/plain", with<AdamW>(AdamWOptions{.lr = 0.05})},
      {"AdamW/amsgrad",
       with<AdamW>(AdamWOptions{.lr = 0.1, .betas = {0.9, 0.8}, .weight_decay = 0.2, .amsgrad = true})},
      {"Adamax/plain", with<Adamax>(AdamaxOptions{.lr = 0.05})},
      {"Adamax/options",
       with<Adamax>(AdamaxOptions{.lr = 0.1, .betas = {0.7, 0.9}, .eps = 1e-2, .weight_decay = 0.1})},
      {"NAdam/plain", with<NAdam>(NAdamOptions{.lr = 0.05})},
      {"NAdam/decoupled", with<NAdam>(NAdamOptions{.lr = 0.05,
                                                   .betas = {0.8, 0.9},
                                                   .weight_decay = 0.1,
                                                   .momentum_decay = 0.02,
                                                   .decoupled_weight_decay = true})},
      {"NAdam/coupled", with<NAdam>(NAdamOptions{.lr = 0.02, .weight_decay = 0.1, .maximize = true})},
      {"RAdam/plain", with<RAdam>(RAdamOptions{.lr = 0.05})},
      {"RAdam/decoupled",
       with<RAdam>(
           RAdamOptions{.lr = 0.05, .betas = {0.8, 0.9}, .weight_decay = 0.1, .decoupled_weight_decay = true})},
      {"Adagrad/plain", with<Adagrad>(AdagradOptions{.lr = 0.5})},
      {"Adagrad/options",
       with<Adagrad>(AdagradOptions{
           .lr = 0.3, .lr_decay = 0.1, .weight_decay = 0.1, .initial_accumulator_value = 0.5, .eps = 1e-3})},
      {"Adadelta/plain", with<Adadelta>(AdadeltaOptions{})},
      {"Adadelta/options",
       with<Adadelta>(AdadeltaOptions{.lr = 0.5, .rho = 0.7, .eps = 1e-2, .weight_decay = 0.1, .maximize = true})},
      {"RMSprop/plain", with<RMSprop>(RMSpropOptions{.lr = 0.02})},
      {"RMSprop/momentum",
       with<RMSprop>(RMSpropOptions{.lr = 0.01, .alpha = 0.9, .weight_decay = 0.1, .momentum = 0.6})},
      {"RMSprop/centered", with<RMSprop>(RMSpropOptions{.lr = 0.02, .alpha = 0.8, .eps = 1e-2, .centered = true})},
      {"RMSprop/centered-momentum",
       with<RMSprop>(RMSpropOptions{.lr = 0.01, .eps = 1e-2, .momentum = 0.5, .centered = true, .maximize = true})},
      {"Rprop/plain", with<Rprop>(RpropOptions{.lr = 0.05})},
      {"Rprop/options",
       with<Rprop>(
           RpropOptions{.lr = 0.1, .etaminus = 0.3, .etaplus = 1.5, .step_size_min = 1e-3, .step_size_max = 0.2})},
      {"ASGD/plain", with<ASGD>(ASGDOptions{.lr = 0.1})},
      {"ASGD/averaged",
       with<ASGD>(ASGDOptions{.lr = 0.05, .lambd = 0.05, .alpha = 0.5, .t0 = 10, .weight_decay = 0.1})},
      {"SparseAdam/plain", with<SparseAdam>(SparseAdamOptions{.lr = 0.05})},
      {"SparseAdam/options",
       with<SparseAdam>(SparseAdamOptions{.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-3, .maximize = true})},
      {"LBFGS/fixed", lbfgs({.lr = 0.3, .max_iter = 3, .history_size = 4})},
      {"LBFGS/wolfe", lbfgs({.max_iter = 4, .history_size = 3, .line_search_fn = LineSearch::strong_wolfe})},
      {"LBFGS/long", lbfgs({.lr = 8, .max_iter = 3, .line_search_fn = LineSearch::strong_wolfe})},
  };
  return cases;
}

const std::map<std::string, LRSchedule>& schedules() {
  static const std::map<std::string, LRSchedule> cases = {
      {"ConstantLR/plain", ConstantLR{}},
      {"ConstantLR/options", ConstantLR{.factor = 0.5, .total_iters = 20}},
      {"LinearLR/plain", LinearLR{}},
      {"LinearLR/options", LinearLR{.start_factor = 1, .end_factor = 0.1, .total_iters = 30}},
      {"StepLR/plain", StepLR{.step_size = 7}},
      {"StepLR/options", StepLR{.step_size = 10, .gamma = 0.7}},
      {"MultiStepLR/plain", MultiStepLR{.milestones = {5, 20}}},
      {"MultiStepLR/options", MultiStepLR{.milestones = {3, 3, 30, 60}, .gamma = 0.5}},
      {"ExponentialLR/plain", ExponentialLR{.gamma = 0.9}},
      {"ExponentialLR/growing", ExponentialLR{.gamma = 1.05}},
      {"PolynomialLR/plain", PolynomialLR{}},
      {"PolynomialLR/options", PolynomialLR{.total_iters = 40, .power = 2.5}},
      {"CosineAnnealingLR/plain", CosineAnnealingLR{.T_max = 50}},
      {"CosineAnnealingLR/beyond", CosineAnnealingLR{.T_max = 12, .eta_min = 0.05}},
      {"CosineAnnealingWarmRestarts/plain", CosineAnnealingWarmRestarts{.T_0 = 7}},
      {"CosineAnnealingWarmRestarts/longer", CosineAnnealingWarmRestarts{.T_0 = 5, .T_mult = 2, .eta_min = 0.02}},
      {"OneCycleLR/plain", OneCycleLR{.max_lr = 0.5, .total_steps = 50}},
      {"OneCycleLR/three-phase", OneCycleLR{.max_lr = 0.8,
                                            .total_steps = 50,
                                            .pct_start = 0.25,
                                            .anneal_strategy = Anneal::linear,
                                            .base_momentum = 0.7,
                                            .max_momentum = 0.9,
                                            .div_factor = 10,
                                            .final_div_factor = 100,
                                            .three_phase = true}},
      {"OneCycleLR/rate-only", OneCycleLR{.max_lr = 0.5, .total_steps = 60, .cycle_momentum = false}},
      {"LambdaLR/plain", LambdaLR{[](std::uint64_t step) { return 1 / (1 + static_cast<double>(step)); }}},
      {"ChainedScheduler/two",
       ChainedScheduler{{ConstantLR{.factor = 0.1, .total_iters = 20}, ExponentialLR{.gamma = 0.9}}}},
      {"ChainedScheduler/three", ChainedScheduler{{LinearLR{.total_iters = 9}, StepLR{.step_size = 8, .gamma = 0.5},
                                                   PolynomialLR{.total_iters = 60}}}},
      {"SequentialLR/two",
       SequentialLR{{ConstantLR{.factor = 0.1, .total_iters = 20}, ExponentialLR{.gamma = 0.9}}, {20}}},
      {"SequentialLR/three", SequentialLR{{StepLR{.step_size = 4, .gamma = 0.5}, CosineAnnealingLR{.T_max = 10},
                                           ExponentialLR{.gamma = 0.9}},
                                          {12, 22}}},
      {"WarmupLR/cosine", WarmupLR{.steps = 10, .start_factor = 0.01, .then = CosineAnnealingLR{.T_max = 40}}},
      {"WarmupLR/step", WarmupLR{.steps = 5, .then = StepLR{.step_size = 10}}},
  };
  return cases;
}

const std::map<std::string, ReduceLROnPlateau>& plateaus() {
  static const std::map<std::string, ReduceLROnPlateau> cases = {
      {"ReduceLROnPlateau/plain", {.patience = 3}},
      {"ReduceLROnPlateau/options",
       {.mode = PlateauMode::max,
        .factor = 0.5,
        .patience = 1,
        .threshold = 0.05,
        .threshold_mode = ThresholdMode::abs,
        .cooldown = 2,
        .min_lr = 0.02}},
      {"ReduceLROnPlateau/relative",
       {.mode = PlateauMode::max, .factor = 0.3, .patience = 0, .threshold = 0.1, .eps = 0.01}},
  };
  return cases;
}

double measured(int step) { return std::max(1 - step / 16.0, 0.25) + step * 5 % 7 / 32.0; }

// --- the comparison

// All parameters, flattened, one after the other.
std::vector<double> flat(const std::vector<Tensor>& parameters) {
  std::vector<double> all;
  for (const Tensor& parameter : parameters) {
    for (const double value : parameter.to_vector<double>()) all.push_back(value);
  }
  return all;
}

void expect_near(const std::vector<double>& ours, const std::vector<double>& expected, double tolerance,
                 const std::string& where) {
  ASSERT_EQ(ours.size(), expected.size()) << where;
  double scale = 0;
  for (const double value : expected) scale = std::max(scale, std::abs(value));
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i], expected[i], tolerance * std::max(std::abs(expected[i]), scale)) << where << ", " << i;
  }
}

template <class T>
void expect_parity(const std::string& name, double tolerance) {
  const Tensor& expected = fixture().at(name + "." + std::string(name_of(dtype_of<T>)));
  const bool sparse = name.starts_with("SparseAdam");
  const bool line = name.starts_with("LBFGS");
  const std::vector<Tensor> parameters = {start<T>(0, {3, 4}), start<T>(1, sparse ? Shape{5, 1} : Shape{5})};
  const std::unique_ptr<Optimizer> optimizer = optimizers().at(name)(parameters);
  std::int64_t row = 0;
  for (int t = 0; t < (line ? lbfgs_kept.back() : steps); ++t) {
    if (line) {
      optimizer->step([&] {
        optimizer->zero_grad();
        const Tensor loss = lbfgs_loss<T>(parameters);
        loss.backward();
        return loss;
      });
    } else if (sparse) {
      for (std::int64_t k = 0; k < 2; ++k) {
        const auto& parameter = parameters[static_cast<std::size_t>(k)];
        const std::vector<std::int64_t> rows = rows_at(k, t);
        const Tensor list = Tensor::from_vector(rows, {static_cast<std::int64_t>(rows.size())});
        optimizer->step_rows(parameter, list, gradient<T>(parameter, k, t).index_select(0, list));
      }
    } else {
      for (std::int64_t k = 0; k < 2; ++k) {
        const auto& parameter = parameters[static_cast<std::size_t>(k)];
        parameter.set_grad(k == 1 && t % 5 == 3 ? Tensor() : gradient<T>(parameter, k, t));
      }
      optimizer->step();
    }
    const auto& rows = line ? lbfgs_kept : kept;
    if (std::ranges::find(rows, t + 1) == rows.end()) continue;
    // Single precision searches a line among roundings: which of two points is lower is chance near the minimum.
    const bool chance = line && std::is_same_v<T, float> && t >= 2;
    expect_near(flat(parameters), expected.select(0, row++).to_vector<double>(), chance ? 5e-4 : tolerance,
                name + " after step " + std::to_string(t + 1));
  }
  EXPECT_EQ(row, expected.size(0));
}

TEST(OptimParity, OptimizersAgreeInDoublePrecision) {
  for (const auto& [name, factory] : optimizers()) expect_parity<double>(name, 1e-10);
}

TEST(OptimParity, OptimizersAgreeInSinglePrecision) {
  for (const auto& [name, factory] : optimizers()) expect_parity<float>(name, 1e-5);
}

TEST(OptimParity, SchedulesAgreeAtEveryStep) {
  for (const auto& [name, schedule] : schedules()) {
    const std::vector<double> rates = fixture().at(name + ".lr").to_vector<double>();
    const std::vector<double> momenta = fixture().at(name + ".momentum").to_vector<double>();
    ASSERT_EQ(rates.size(), std::size_t{steps});
    SGD optimizer({Tensor::zeros({1})}, {.lr = 0.5, .momentum = 0.9});
    for (std::size_t step = 0; step < rates.size(); ++step) {
      schedule.apply(optimizer, step);
      EXPECT_NEAR(optimizer.lr(), rates[step], 1e-10 * 0.5) << name << " at step " << step;
      EXPECT_NEAR(optimizer.options().momentum, momenta[step], 1e-10) << name << " at step " << step;
    }
  }
}

TEST(OptimParity, PlateausAgreeAfterEveryMeasurement) {
  for (const auto& [name, plateau] : plateaus()) {
    plateau.check();
    const std::vector<double> rates = fixture().at(name + ".lr").to_vector<double>();
    std::vector<double> values;
    for (int step = 0; step < steps; ++step) {
      EXPECT_NEAR(plateau.lr(0.5, values), rates[static_cast<std::size_t>(step)], 1e-10) << name << " at " << step;
      values.push_back(measured(step));
    }
  }
}

// --- that nothing is left out

std::string class_of(const std::string& name) { return name.substr(0, name.find('/')); }

template <class Cases>
void count_cases(const Cases& cases, std::map<std::string, int>& into) {
  for (const auto& [name, unused] : cases) ++into[class_of(name)];
}

TEST(OptimParity, EveryOptimizerAndScheduleOfTheHeadersHasCases) {
  std::map<std::string, int> cases;
  count_cases(optimizers(), cases);
  count_cases(schedules(), cases);
  count_cases(plateaus(), cases);
  const std::regex optimizer("class (\\w+) : public (?:GroupedOptimizer|Optimizer|Adam)\\b");
  const std::regex schedule("struct (\\w+) \\{(?:[^{}]|\\{\\})*\\bdouble lr\\(double base");
  std::set<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(FERAL_SOURCE_DIR "/optim")) {
    if (file.path().extension() != ".hpp") continue;
    std::ifstream in(file.path());
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (const std::regex& pattern : {optimizer, schedule}) {
      for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) found.insert((*it)[1]);
    }
  }
  found.erase("GroupedOptimizer");
  found.erase("Interface");  // of LRSchedule
  for (const std::string& name : found) {
    const int least = name == "LambdaLR" ? 1 : 2;
    EXPECT_GE(cases[name], least) << name << " needs a case here and in tests/optim/generate.py";
  }
  EXPECT_GE(found.size(), 13U + 14U) << "the test no longer finds the classes";
}

TEST(OptimParity, EveryArrayOfTheFixtureIsCompared) {
  std::set<std::string> compared;
  for (const auto& [name, unused] : optimizers()) compared.insert({name + ".float32", name + ".float64"});
  for (const auto& [name, unused] : schedules()) compared.insert({name + ".lr", name + ".momentum"});
  for (const auto& [name, unused] : plateaus()) compared.insert({name + ".lr", name + ".momentum"});
  for (const auto& [name, array] : fixture()) EXPECT_TRUE(compared.contains(name)) << name;
  EXPECT_EQ(compared.size(), fixture().size());
}

}  // namespace
}  // namespace feral::optim
