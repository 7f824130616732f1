#include <gtest/gtest.h>

#include "nn/batch_norm.hpp"
#include "nn/layer_norm.hpp"
#include "tests/nn/parity_suite.hpp"

namespace feral::nn {
namespace {

Tensors both(Module& module, const Tensors& x) { return {module(x[0]), module(x[1])}; }

TEST(NormalizationParity, EqualsPyTorch) {
  const InstanceNormOptions affine{.affine = true};
  const InstanceNormOptions tracked{.affine = true, .track_running_stats = true};
  expect_family(
      "normalization",
      {{"BatchNorm1d/train", make<BatchNorm1d>(3)},
       {"BatchNorm1d/eval", make<BatchNorm1d>(3)},
       {"BatchNorm1d/cumulative", make<BatchNorm1d>(3, BatchNormOptions{.momentum = std::nullopt})},
       {"BatchNorm1d/cumulative_twice", make<BatchNorm1d>(3, BatchNormOptions{.momentum = std::nullopt}), both},
       {"BatchNorm1d/untracked_eval",
        make<BatchNorm1d>(3, BatchNormOptions{.eps = 1e-3, .track_running_stats = false})},
       {"BatchNorm2d/train", make<BatchNorm2d>(4, BatchNormOptions{.momentum = 0.3})},
       {"BatchNorm2d/not_affine", make<BatchNorm2d>(4, BatchNormOptions{.affine = false})},
       {"BatchNorm2d/eval", make<BatchNorm2d>(4, BatchNormOptions{.eps = 0.01})},
       {"BatchNorm2d/eval_not_affine", make<BatchNorm2d>(4, BatchNormOptions{.affine = false})},
       {"BatchNorm3d/train", make<BatchNorm3d>(2)},
       {"BatchNorm3d/eval", make<BatchNorm3d>(2)},
       {"InstanceNorm1d/plain", make<InstanceNorm1d>(3)},
       {"InstanceNorm1d/affine_without_batch", make<InstanceNorm1d>(3, affine)},
       {"InstanceNorm1d/tracked", make<InstanceNorm1d>(3, tracked)},
       {"InstanceNorm2d/affine", make<InstanceNorm2d>(4, affine)},
       {"InstanceNorm2d/tracked",
        make<InstanceNorm2d>(4, InstanceNormOptions{.momentum = 0.4, .track_running_stats = true})},
       {"InstanceNorm2d/tracked_eval", make<InstanceNorm2d>(4, tracked)},
       {"LayerNorm/vector", make<LayerNorm>(4)},
       {"LayerNorm/two_dimensions", make<LayerNorm>(Dims{5, 7}, LayerNormOptions{.eps = 1e-3, .bias = false})},
       {"LayerNorm/not_affine", make<LayerNorm>(19, LayerNormOptions{.elementwise_affine = false})},
       {"LayerNorm/many_rows", make<LayerNorm>(5)},
       {"RMSNorm/vector", make<RMSNorm>(6, RMSNormOptions{.eps = 1e-6})},
       {"RMSNorm/two_dimensions_not_affine",
        make<RMSNorm>(Dims{2, 5}, RMSNormOptions{.eps = 0.1, .elementwise_affine = false})},
       {"GroupNorm/images", make<GroupNorm>(2, 4)},
       {"GroupNorm/rows_not_affine", make<GroupNorm>(3, 6, GroupNormOptions{.eps = 1e-2, .affine = false})},
       {"GroupNorm/rows", make<GroupNorm>(2, 6)}});
}

}  // namespace
}  // namespace feral::nn
