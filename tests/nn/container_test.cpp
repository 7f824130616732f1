#include "nn/container.hpp"

#include <gtest/gtest.h>

#include "models/resnet.hpp"
#include "nn/embedding.hpp"
#include "nn/layer_norm.hpp"
#include "nn/layers.hpp"
#include "nn/linear.hpp"
#include "nn/reshaping.hpp"
#include "tests/tensor/operands.hpp"

namespace feral::nn {
namespace {

using testing_support::contains;
using testing_support::error_of;

TEST(Sequential, NamesItsModulesByNumberOrAsTold) {
  Sequential net(std::make_shared<Linear>(4, 3), std::make_shared<ReLU>());
  net.emplace<Linear>(3, 2).append("last", std::make_shared<Identity>());
  ASSERT_EQ(net.size(), 4U);
  std::vector<std::string> names;
  for (const NamedModule& child : net.children()) names.push_back(child.name);
  EXPECT_EQ(names, (std::vector<std::string>{"0", "1", "2", "last"}));
  EXPECT_EQ(net[2].kind(), "Linear");
  EXPECT_EQ(net.named_parameters().back().name, "2.bias");
  EXPECT_EQ(net(Tensor::ones({5, 4})).shape(), (Shape{5, 2}));
}

TEST(Sequential, WithoutModulesPassesItsInputOn) {
  Sequential net;
  const Tensor x = Tensor::ones({2});
  EXPECT_EQ(net(x).impl(), x.impl());
}

TEST(Sequential, CallsTheHooksOfItsModules) {
  Sequential net(std::make_shared<Identity>());
  int calls = 0;
  net[0].register_forward_pre_hook([&](Module&, const Tensor&) {
    ++calls;
    return Tensor();
  });
  net(Tensor::ones({1}));
  EXPECT_EQ(calls, 1);
}

TEST(Containers, KeepTheirModulesAliveAndReachThemAll) {
  ModuleDict dict;
  {
    auto list = std::make_shared<ModuleList>();
    list->emplace<Linear>(2, 2);
    list->append(std::make_shared<Linear>(2, 1, false));
    dict.insert("list", list);
  }
  dict.emplace<LayerNorm>("norm", 2);
  EXPECT_EQ(dict.parameter_count(), 6 + 2 + 4);
  EXPECT_EQ(dict.named_parameters()[2].name, "list.1.weight");
  EXPECT_EQ(dict.keys(), (std::vector<std::string>{"list", "norm"}));
  EXPECT_TRUE(dict.contains("norm"));
  EXPECT_FALSE(dict.contains("0"));
  auto& list = dynamic_cast<ModuleList&>(dict["list"]);
  EXPECT_EQ(list.at<Linear>(1).weight.shape(), (Shape{1, 2}));
  std::size_t seen = 0;
  for (Module* module : list) seen += module->kind() == "Linear" ? 1 : 0;
  EXPECT_EQ(seen, list.size());
  dict.eval();
  EXPECT_FALSE(list[0].is_training());
}

TEST(Containers, WrongUsesAreErrorsThatNameThem) {
  Sequential net(std::make_shared<ReLU>());
  ModuleList list;
  ModuleDict dict({{"a", std::make_shared<ReLU>()}, {"b", std::make_shared<ReLU>()}});
  EXPECT_TRUE(contains(error_of([&] { net[1]; }), "Sequential: no module 1, there are 1"));
  EXPECT_TRUE(contains(error_of([&] { net.append(nullptr); }), "null"));
  EXPECT_TRUE(contains(error_of([&] { net.append("0", std::make_shared<ReLU>()); }), "'0' is registered twice"));
  EXPECT_TRUE(contains(error_of([&] { list[0]; }), "ModuleList: no module 0, there are 0"));
  EXPECT_TRUE(contains(error_of([&] { list(Tensor::ones({1})); }), "ModuleList: its forward"));
  list.emplace<ReLU>();
  EXPECT_TRUE(contains(error_of([&] { list.at<Linear>(0); }), "ModuleList: the module is a ReLU"));
  EXPECT_TRUE(contains(error_of([&] { dict["c"]; }), "ModuleDict: no module 'c', there are: a, b"));
  EXPECT_TRUE(contains(error_of([&] { dict.insert("a", std::make_shared<ReLU>()); }), "'a' is registered twice"));
  EXPECT_EQ(net.size(), 1U);
}

TEST(Containers, ANetworkIsPrintedAsATree) {
  Sequential net({{"embedding", std::make_shared<Embedding>(100, 8, EmbeddingOptions{.padding_idx = 0})},
                  {"norm", std::make_shared<LayerNorm>(8)},
                  {"block", std::make_shared<models::BasicBlock>(2, 4, 2)}});
  EXPECT_EQ(
      net.repr(),
      "Sequential()  1,064 parameters\n"
      "  (embedding): Embedding(100, 8, padding_idx=0)  800\n"
      "  (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)  16\n"
      "  (block): BasicBlock()  248\n"
      "    (conv1): Conv2d(2, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)  72\n"
      "    (bn1): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)  8\n"
      "    (conv2): Conv2d(4, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)  144\n"
      "    (bn2): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)  8\n"
      "    (downsample): Sequential()  16\n"
      "      (0): Conv2d(2, 4, kernel_size=(1, 1), stride=(2, 2), bias=False)  8\n"
      "      (1): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)  8");
}

}  // namespace
}  // namespace feral::nn
