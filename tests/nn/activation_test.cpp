#include "nn/activation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "nn/distance.hpp"
#include "tests/autograd/op_cases.hpp"
#include "tests/nn/parity.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;
using testing_support::Numbers;

using Make = std::function<std::unique_ptr<Module>()>;

template <class M, class... Arguments>
Make make(Arguments... arguments) {
  return [=] { return std::make_unique<M>(arguments...); };
}

// Every case of the fixture; those of several configurations without options share a module.
std::map<std::string, Make> activations() {
  std::map<std::string, Make> all;
  const auto both = [&](const std::string& name, const Make& module) {
    all[name + "/small"] = module;
    all[name + "/deep"] = module;
  };
  both("ReLU", make<ReLU>());
  both("ReLU6", make<ReLU6>());
  both("SELU", make<SELU>());
  both("SiLU", make<SiLU>());
  both("Mish", make<Mish>());
  both("Softsign", make<Softsign>());
  both("Tanhshrink", make<Tanhshrink>());
  both("Hardswish", make<Hardswish>());
  both("Hardsigmoid", make<Hardsigmoid>());
  both("LogSigmoid", make<LogSigmoid>());
  both("Sigmoid", make<Sigmoid>());
  both("Tanh", make<Tanh>());
  all["LeakyReLU/default"] = make<LeakyReLU>();
  all["LeakyReLU/slope_0.3"] = make<LeakyReLU>(0.3);
  all["PReLU/one"] = make<PReLU>();
  all["PReLU/channels"] = make<PReLU>(PReLUOptions{.num_parameters = 3, .init = 0.1});
  all["ELU/default"] = make<ELU>();
  all["ELU/alpha_0.5"] = make<ELU>(0.5);
  all["CELU/default"] = make<CELU>();
  all["CELU/alpha_0.5"] = make<CELU>(0.5);
  all["GELU/exact"] = make<GELU>();
  all["GELU/tanh"] = make<GELU>(GELUOptions{.tanh_approximation = true});
  all["Softplus/default"] = make<Softplus>();
  all["Softplus/above_the_threshold"] = make<Softplus>();
  all["Softplus/beta_2_threshold_3"] = make<Softplus>(SoftplusOptions{.beta = 2, .threshold = 3});
  all["Softshrink/default"] = make<Softshrink>();
  all["Softshrink/lambda_1"] = make<Softshrink>(1.0);
  all["Hardshrink/default"] = make<Hardshrink>();
  all["Hardshrink/lambda_1"] = make<Hardshrink>(1.0);
  all["Hardtanh/default"] = make<Hardtanh>();
  all["Hardtanh/bounds"] = make<Hardtanh>(HardtanhOptions{.min_val = -0.25, .max_val = 2.5});
  all["Threshold/0.1"] = make<Threshold>(0.1, 20.0);
  all["Threshold/negative"] = make<Threshold>(-1.0, -3.0);
  all["Softmax/last"] = make<Softmax>(-1);
  all["Softmax/channels"] = make<Softmax>(1);
  all["LogSoftmax/last"] = make<LogSoftmax>(-1);
  all["LogSoftmax/first"] = make<LogSoftmax>(0);
  all["Softmin/last"] = make<Softmin>(-1);
  all["Softmin/channels"] = make<Softmin>(1);
  all["GLU/last"] = make<GLU>();
  all["GLU/first"] = make<GLU>(0);
  return all;
}

TEST(ActivationParity, EqualsPyTorch) {
  const std::map<std::string, Make> all = activations();
  std::size_t pairs = 0;
  for (const std::string& name : parity_cases("activations")) {
    if (contains(name, "PairwiseDistance") || contains(name, "CosineSimilarity")) {
      ++pairs;
      continue;
    }
    ASSERT_TRUE(all.contains(name)) << name;
    expect_parity("activations", name, *all.at(name)());
  }
  EXPECT_EQ(parity_cases("activations").size(), all.size() + pairs);
}

TEST(DistanceParity, EqualsPyTorch) {
  const auto distance = [&](const char* name, const PairwiseDistanceOptions& options) {
    PairwiseDistance module(options);
    expect_parity("activations", name, module,
                  [&](const Tensors& x) { return Tensors{module.forward(x[0], x[1])}; });
  };
  const auto similarity = [&](const char* name, const CosineSimilarityOptions& options) {
    CosineSimilarity module(options);
    expect_parity("activations", name, module,
                  [&](const Tensors& x) { return Tensors{module.forward(x[0], x[1])}; });
  };
  distance("PairwiseDistance/default", {});
  distance("PairwiseDistance/p_1_keepdim", {.p = 1, .eps = 1e-3, .keepdim = true});
  similarity("CosineSimilarity/default", {});
  similarity("CosineSimilarity/dim_0", {.dim = 0, .eps = 1e-3});
}

TEST(ActivationGradients, AgreeWithFiniteDifferences) {
  Numbers numbers(31);
  for (const auto& [name, build] : activations()) {
    const std::unique_ptr<Module> module = build();
    module->to(DType::float64);
    // At least 0.02 away from the kinks at 0 and ±0.1, 0.25, 0.5, 1, 1.5, 2.5 and 3.
    Tensor x = Tensor::empty({4, 3}, DType::float64);
    for (std::int64_t i = 0; i < 12; ++i) {
      const double places[] = {0.04, 0.3, 0.7, 1.2, 2.2, 4};
      x.data<double>()[i] = (i % 2 == 0 ? 1 : -1) * (places[i / 2] + 0.04 * numbers.next(0, 1));
    }
    x.set_requires_grad(true);
    std::vector<Tensor> inputs = {x};
    for (const Tensor& parameter : module->parameters()) inputs.push_back(parameter);
    // Of views that are not contiguous, but where dimension 0 must have halves.
    const auto function = [&](const std::vector<Tensor>& in) {
      if (name == "GLU/first") return module->forward(in[0]);
      return module->forward(name == "PReLU/channels" ? in[0].unsqueeze(2).expand({4, 3, 2})
                                                      : in[0].transpose(0, 1));
    };
    EXPECT_EQ(gradcheck(function, inputs), "") << name;
    EXPECT_EQ(gradgradcheck(function, inputs), "") << name;
  }
}

TEST(Activations, KeepNaNs) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [name, build] : activations()) {
    const std::unique_ptr<Module> module = build();
    module->to(DType::float64);
    const std::vector<double> y = module->forward(Tensor::full({2, 3, 4}, nan, DType::float64)).to_vector<double>();
    for (const double value : y) EXPECT_TRUE(std::isnan(value)) << name;
  }
}

TEST(Activations, RefuseWhatTheyCannotDo) {
  const Tensor x = Tensor::ones({3, 3});
  EXPECT_TRUE(contains(error_of([&] { (void)glu(x); }), "glu: dimension -1 of shape [3, 3] has no halves"));
  EXPECT_TRUE(contains(error_of([&] { (void)prelu(x, Tensor::ones({2})); }), "prelu: a weight of shape [2]"));
  EXPECT_TRUE(contains(error_of([&] { (void)prelu(x, Tensor::ones({1}, DType::float64)); }), "prelu: types"));
  EXPECT_TRUE(contains(error_of([&] { (void)softplus(x, 0); }), "softplus: beta is 0"));
  EXPECT_TRUE(contains(error_of([&] { (void)celu(x, 0); }), "celu: alpha is 0"));
  EXPECT_TRUE(contains(error_of([&] { (void)softshrink(x, -1); }), "softshrink: lambda -1"));
  EXPECT_TRUE(contains(error_of([] { Softshrink(-0.5); }), "Softshrink: lambda -0.5"));
  EXPECT_TRUE(contains(error_of([] { CELU(0); }), "CELU: alpha"));
  EXPECT_TRUE(contains(error_of([] { Hardtanh({.min_val = 1, .max_val = 1}); }), "Hardtanh: min_val 1"));
  EXPECT_TRUE(contains(error_of([] { PReLU({.num_parameters = 0}); }), "PReLU: 0 parameters"));
}

TEST(Activations, SayTheirOptions) {
  EXPECT_EQ(LeakyReLU(0.2).repr(), "LeakyReLU(negative_slope=0.2)");
  EXPECT_EQ(PReLU({.num_parameters = 3}).repr(), "PReLU(num_parameters=3)  3 parameters");
  EXPECT_EQ(GELU({.tanh_approximation = true}).repr(), "GELU(approximate='tanh')");
  EXPECT_EQ(Softplus().repr(), "Softplus(beta=1.0, threshold=20.0)");
  EXPECT_EQ(Hardtanh().repr(), "Hardtanh(min_val=-1, max_val=1)");
  EXPECT_EQ(Softmax(1).repr(), "Softmax(dim=1)");
  EXPECT_EQ(ReLU().repr(), "ReLU()");
}

}  // namespace
}  // namespace feral::nn
