#include <gtest/gtest.h>

#include "nn/conv.hpp"
#include "tests/nn/parity_suite.hpp"

namespace feral::nn {
namespace {

Tensors to_size(Module& module, const Tensors& x) {
  return {dynamic_cast<ConvTranspose2d&>(module).forward(x[0], {6, 3})};
}

TEST(ConvParity, EqualsPyTorch) {
  expect_family(
      "convolutions",
      {{"Conv1d/plain", make<Conv1d>(4, 3, 3)},
       {"Conv1d/all_options",
        make<Conv1d>(4, 6, 3, Conv1dOptions{.stride = 2, .padding = 2, .dilation = 2, .groups = 2, .bias = false})},
       {"Conv1d/same_uneven", make<Conv1d>(4, 2, 4, Conv1dOptions{.padding = "same"})},
       {"Conv1d/reflect", make<Conv1d>(4, 2, 3, Conv1dOptions{.padding = 2, .padding_mode = PaddingMode::reflect})},
       {"Conv1d/without_batch", make<Conv1d>(4, 2, 2)},
       {"Conv2d/per_dimension",
        make<Conv2d>(2, 4, PerDim<2>(3, 2),
                     Conv2dOptions{.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}})},
       {"Conv2d/depthwise", make<Conv2d>(2, 4, 3, Conv2dOptions{.padding = 1, .groups = 2})},
       {"Conv2d/same_dilated",
        make<Conv2d>(2, 2, PerDim<2>(3, 2), Conv2dOptions{.padding = "same", .dilation = 2})},
       {"Conv2d/replicate",
        make<Conv2d>(2, 2, 3, Conv2dOptions{.padding = {1, 2}, .padding_mode = PaddingMode::replicate})},
       {"Conv2d/circular_same",
        make<Conv2d>(2, 2, 2, Conv2dOptions{.padding = "same", .padding_mode = PaddingMode::circular})},
       {"Conv2d/valid", make<Conv2d>(2, 1, 2, Conv2dOptions{.padding = "valid"})},
       {"Conv2d/without_batch", make<Conv2d>(2, 3, 3, Conv2dOptions{.bias = false})},
       {"Conv3d/plain", make<Conv3d>(2, 2, 2)},
       {"Conv3d/per_dimension",
        make<Conv3d>(2, 4, PerDim<3>(2, 3, 1),
                     Conv3dOptions{.stride = {1, 2, 1}, .padding = {0, 1, 0}, .groups = 2})},
       {"ConvTranspose1d/plain", make<ConvTranspose1d>(4, 3, 3)},
       {"ConvTranspose1d/all_options",
        make<ConvTranspose1d>(
            4, 6, 3,
            ConvTranspose1dOptions{
                .stride = 3, .padding = 2, .output_padding = 1, .groups = 2, .bias = false, .dilation = 2})},
       {"ConvTranspose2d/plain", make<ConvTranspose2d>(2, 3, 2, ConvTranspose2dOptions{.stride = 2})},
       {"ConvTranspose2d/per_dimension",
        make<ConvTranspose2d>(
            2, 4, PerDim<2>(3, 2),
            ConvTranspose2dOptions{.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2})},
       {"ConvTranspose2d/output_size",
        make<ConvTranspose2d>(2, 1, 3, ConvTranspose2dOptions{.stride = 2, .padding = 1}), to_size},
       {"ConvTranspose3d/plain", make<ConvTranspose3d>(2, 1, 2)},
       {"ConvTranspose3d/stride",
        make<ConvTranspose3d>(2, 2, 2,
                              ConvTranspose3dOptions{.stride = {1, 2, 2}, .padding = {1, 0, 0}, .bias = false})}});
}

}  // namespace
}  // namespace feral::nn
