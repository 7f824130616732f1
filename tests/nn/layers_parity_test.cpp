// Containers, reshaping, and layers that belong to no larger family.
#include <gtest/gtest.h>

#include "nn/batch_norm.hpp"
#include "nn/bilinear.hpp"
#include "nn/container.hpp"
#include "nn/conv.hpp"
#include "nn/layer_norm.hpp"
#include "nn/layers.hpp"
#include "nn/linear.hpp"
#include "nn/reshaping.hpp"
#include "tests/nn/parity_suite.hpp"

namespace feral::nn {
namespace {

Tensors of_two(Module& module, const Tensors& x) { return {dynamic_cast<Bilinear&>(module).forward(x[0], x[1])}; }

Tensors chain(Module& module, const Tensors& x) {
  const auto& list = dynamic_cast<ModuleList&>(module);
  return {list[1](list[0](x[0]).tanh())};
}

Tensors fork(Module& module, const Tensors& x) {
  const auto& dict = dynamic_cast<ModuleDict&>(module);
  return {dict["left"](x[0]) * dict["right"](x[0])};
}

template <class... Modules>
std::unique_ptr<Module> list_of(std::shared_ptr<Modules>... modules) {
  return std::make_unique<ModuleList>(modules...);
}

TEST(LayersParity, EqualPyTorch) {
  expect_family(
      "layers",
      {{"Linear/bias", make<Linear>(4, 3)},
       {"Linear/no_bias", make<Linear>(4, 2, false)},
       {"ReLU/matrix", make<ReLU>()},
       {"ReLU/image", make<ReLU>()},
       {"Identity/matrix", make<Identity>()},
       {"Identity/image", make<Identity>()},
       {"Flatten/default", make<Flatten>()},
       {"Flatten/part", make<Flatten>(2, 3)},
       {"Unflatten/plain", make<Unflatten>(1, Shape{2, 3})},
       {"Unflatten/rest", make<Unflatten>(-1, Shape{-1, 2})},
       {"Upsample/nearest", make<Upsample>(InterpolateOptions{.scale = 2})},
       {"Upsample/bilinear",
        make<Upsample>(InterpolateOptions{.size = {5, 3}, .mode = InterpolateMode::linear, .align_corners = true})},
       {"Upsample/linear", make<Upsample>(InterpolateOptions{.scale = 2.5, .mode = InterpolateMode::linear})},
       {"PixelShuffle/two", make<PixelShuffle>(2)},
       {"PixelShuffle/three_without_batch", make<PixelShuffle>(3)},
       {"PixelUnshuffle/two", make<PixelUnshuffle>(2)},
       {"PixelUnshuffle/three_without_batch", make<PixelUnshuffle>(3)},
       {"Bilinear/bias", make<Bilinear>(3, 2, 4), of_two},
       {"Bilinear/no_bias_in_3_dimensions", make<Bilinear>(2, 3, 2, false), of_two},
       {"Sequential/numbered",
        [] {
          return std::make_unique<Sequential>(std::make_shared<Linear>(4, 5), std::make_shared<ReLU>(),
                                              std::make_shared<Linear>(5, 2));
        }},
       {"Sequential/named",
        [] {
          return std::unique_ptr<Module>(
              new Sequential({{"conv", std::make_shared<Conv2d>(3, 2, 2, Conv2dOptions{.bias = false})},
                              {"norm", std::make_shared<BatchNorm2d>(2)},
                              {"flat", std::make_shared<Flatten>()}}));
        }},
       {"ModuleList/chain", [] { return list_of(std::make_shared<Linear>(4, 3), std::make_shared<Linear>(3, 2)); },
        chain},
       {"ModuleList/with_a_sequential",
        [] {
          auto list = std::make_unique<ModuleList>();
          list->emplace<Sequential>().emplace<Linear>(4, 4);
          list->emplace<Linear>(4, 1);
          return list;
        },
        chain},
       {"ModuleDict/product",
        [] {
          return std::unique_ptr<Module>(new ModuleDict(
              {{"left", std::make_shared<Linear>(4, 3)}, {"right", std::make_shared<Linear>(4, 3)}}));
        },
        fork},
       {"ModuleDict/with_a_norm",
        [] {
          auto dict = std::make_unique<ModuleDict>();
          dict->emplace<Identity>("left");
          dict->emplace<LayerNorm>("right", 4);
          return dict;
        },
        fork}});
}

}  // namespace
}  // namespace feral::nn
