#include "nn/module.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/nn/parameters.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using support::names_of;
using testing_support::contains;
using testing_support::error_of;

// Lets a test register what it likes.
class Box : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x; }
  using Module::register_module;
  using Module::register_parameter;
};

TEST(Module, NamesParametersByTheirPathOwnOnesFirst) {
  Box root;
  Box child;
  Box grandchild;
  Tensor a = Tensor::zeros({1});
  Tensor b = Tensor::zeros({2});
  Tensor c = Tensor::zeros({3});
  Tensor d = Tensor::zeros({4});
  root.register_module("child", child);
  root.register_parameter("a", a);
  child.register_module("inner", grandchild);
  child.register_parameter("c", c);
  child.register_parameter("b", b);
  grandchild.register_parameter("d", d);
  EXPECT_EQ(names_of(root), (std::vector<std::string>{"a", "child.c", "child.b", "child.inner.d"}));
  const std::vector<Tensor> parameters = root.parameters();
  ASSERT_EQ(parameters.size(), 4U);
  EXPECT_EQ(parameters[1].impl(), c.impl());
}

TEST(Module, ParametersRequireAGradientAndAreShared) {
  Box box;
  Tensor weight = Tensor::zeros({2});
  box.register_parameter("weight", weight);
  EXPECT_TRUE(weight.requires_grad());
  box.named_parameters()[0].tensor.fill_(5);
  EXPECT_EQ(weight.to_vector<float>(), (std::vector<float>{5, 5}));
}

TEST(Module, RefusesNamesThatAreTakenEmptyOrDotted) {
  Box box;
  Box child;
  Tensor weight = Tensor::zeros({2});
  box.register_parameter("weight", weight);
  box.register_module("child", child);
  for (const char* name : {"", "a.b", "weight", "child"}) {
    const std::string quoted = fmt::format("'{}'", name);
    EXPECT_TRUE(contains(error_of([&] { box.register_parameter(name, weight); }), quoted)) << name;
    EXPECT_TRUE(contains(error_of([&] { box.register_module(name, child); }), quoted)) << name;
  }
  EXPECT_EQ(names_of(box), (std::vector<std::string>{"weight"}));
}

TEST(Module, RefusesParametersWithoutAGradient) {
  Box box;
  Tensor none;
  Tensor integers = Tensor::zeros({2}, DType::int64);
  EXPECT_TRUE(contains(error_of([&] { box.register_parameter("none", none); }), "'none' is undefined"));
  EXPECT_TRUE(contains(error_of([&] { box.register_parameter("integers", integers); }), "int64"));
  EXPECT_TRUE(box.named_parameters().empty());
}

TEST(Module, TrainAndEvalReachAllChildren) {
  Box root;
  Box child;
  Box grandchild;
  root.register_module("child", child);
  child.register_module("grandchild", grandchild);
  EXPECT_TRUE(root.is_training());
  root.eval();
  EXPECT_FALSE(root.is_training());
  EXPECT_FALSE(child.is_training());
  EXPECT_FALSE(grandchild.is_training());
  child.train();
  EXPECT_FALSE(root.is_training());
  EXPECT_TRUE(grandchild.is_training());
}

TEST(Module, CallsItsForward) {
  Box box;
  const Tensor x = Tensor::ones({2});
  EXPECT_EQ(box(x).impl(), x.impl());
}

}  // namespace
}  // namespace feral::nn
