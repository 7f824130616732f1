#include <gtest/gtest.h>

#include "nn/pooling.hpp"
#include "tests/nn/parity_suite.hpp"

namespace feral::nn {
namespace {

Tensors with_indices(Module& module, const Tensors& x) {
  const auto [values, indices] = dynamic_cast<MaxPool2d&>(module).forward_with_indices(x[0]);
  return {values, indices};
}

TEST(PoolingParity, EqualsPyTorch) {
  expect_family(
      "pooling",
      {{"MaxPool1d/plain", make<MaxPool1d>(2)},
       {"MaxPool1d/all_options",
        make<MaxPool1d>(3, MaxPool1dOptions{.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true})},
       {"MaxPool2d/plain", make<MaxPool2d>(2)},
       {"MaxPool2d/per_dimension",
        make<MaxPool2d>(PerDim<2>(3, 2), MaxPool2dOptions{.stride = {1, 2}, .padding = {1, 0}, .ceil_mode = true})},
       {"MaxPool2d/without_batch", make<MaxPool2d>(2, 1)},
       {"MaxPool2d/indices", make<MaxPool2d>(2), with_indices},
       {"MaxPool3d/plain", make<MaxPool3d>(2)},
       {"MaxPool3d/per_dimension",
        make<MaxPool3d>(PerDim<3>(2, 1, 3), MaxPool3dOptions{.stride = {2, 1, 1}, .padding = {0, 0, 1}})},
       {"AvgPool1d/plain", make<AvgPool1d>(3)},
       {"AvgPool1d/padded",
        make<AvgPool1d>(
            3, AvgPool1dOptions{.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false})},
       {"AvgPool2d/plain", make<AvgPool2d>(2)},
       {"AvgPool2d/all_options",
        make<AvgPool2d>(
            PerDim<2>(3, 2),
            AvgPool2dOptions{.stride = {2, 1}, .padding = 1, .ceil_mode = true, .divisor_override = 5})},
       {"AvgPool3d/plain", make<AvgPool3d>(2)},
       {"AvgPool3d/padded",
        make<AvgPool3d>(PerDim<3>(2, 3, 2),
                        AvgPool3dOptions{.stride = {1, 2, 2}, .padding = {1, 1, 0}, .count_include_pad = false})},
       {"AdaptiveAvgPool1d/three", make<AdaptiveAvgPool1d>(3)},
       {"AdaptiveAvgPool1d/global", make<AdaptiveAvgPool1d>(1)},
       {"AdaptiveAvgPool2d/global", make<AdaptiveAvgPool2d>(1)},
       {"AdaptiveAvgPool2d/per_dimension", make<AdaptiveAvgPool2d>(PerDim<2>(2, 4))},
       {"AdaptiveAvgPool2d/kept", make<AdaptiveAvgPool2d>(PerDim<2>(-1, 2))},
       {"AdaptiveAvgPool3d/global", make<AdaptiveAvgPool3d>(1)},
       {"AdaptiveAvgPool3d/per_dimension", make<AdaptiveAvgPool3d>(PerDim<3>(3, 2, 2))},
       {"AdaptiveMaxPool1d/three", make<AdaptiveMaxPool1d>(3)},
       {"AdaptiveMaxPool1d/global", make<AdaptiveMaxPool1d>(1)},
       {"AdaptiveMaxPool2d/global", make<AdaptiveMaxPool2d>(1)},
       {"AdaptiveMaxPool2d/per_dimension", make<AdaptiveMaxPool2d>(PerDim<2>(2, 4))},
       {"AdaptiveMaxPool3d/two", make<AdaptiveMaxPool3d>(2)},
       {"AdaptiveMaxPool3d/per_dimension", make<AdaptiveMaxPool3d>(PerDim<3>(1, 3, 2))}});
}

}  // namespace
}  // namespace feral::nn
