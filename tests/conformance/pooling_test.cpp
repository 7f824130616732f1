// Pooling, resizing, and what classifiers end with: against PyTorch, computed in float64.
#include <gtest/gtest.h>

#include "autograd/ops/classification.hpp"
#include "autograd/ops/interpolate.hpp"
#include "autograd/ops/pooling.hpp"
#include "tests/conformance/calls.hpp"
#include "tests/conformance/per_dim.hpp"

namespace feral::conformance {
namespace {

const std::vector<std::string> images = not_0_dim;
const std::vector<std::string> not_empty = {"contiguous", "transposed", "stepped", "broadcast"};

template <int dims>
PoolOptions<dims> max_options(const Call& c) {
  return {.kernel = per_dim<dims>(c, "kernel", 2),
          .stride = per_dim<dims>(c, "stride", {}),
          .padding = per_dim<dims>(c, "padding", 0),
          .dilation = per_dim<dims>(c, "dilation", 1),
          .ceil_mode = c.flag("ceil_mode")};
}

template <int dims>
Op max_pool(const std::string& name, Tensor (*function)(const Tensor&, PoolOptions<dims>)) {
  return op(name, all_floats, images, [function](const Call& c) { return function(c[0], max_options<dims>(c)); });
}

template <int dims>
Op max_pool_with_indices(const std::string& name, ValuesIndices (*function)(const Tensor&, PoolOptions<dims>),
                         std::vector<std::string> reaches = {}) {
  return op(
      name, floats, not_empty, [function](const Call& c) { return both(function(c[0], max_options<dims>(c))); },
      std::move(reaches));
}

template <int dims>
Op avg_pool(const std::string& name, Tensor (*function)(const Tensor&, AvgPoolOptions<dims>)) {
  return op(name, all_floats, images, [function](const Call& c) {
    return function(c[0], {.kernel = per_dim<dims>(c, "kernel", 2),
                           .stride = per_dim<dims>(c, "stride", {}),
                           .padding = per_dim<dims>(c, "padding", 0),
                           .ceil_mode = c.flag("ceil_mode"),
                           .count_include_pad = !c.has("count_include_pad") || c.flag("count_include_pad"),
                           .divisor = c.integer("divisor", 0)});
  });
}

template <int dims>
Op adaptive(const std::string& name, Tensor (*function)(const Tensor&, PerDim<dims>)) {
  return op(name, all_floats, images,
            [function](const Call& c) { return function(c[0], per_dim<dims>(c, "size", 1)); });
}

std::vector<Op> pools() {
  return {
      max_pool<1>("max_pool1d", max_pool1d),
      max_pool<2>("max_pool2d", max_pool2d),
      max_pool<3>("max_pool3d", max_pool3d),
      max_pool_with_indices<1>("max_pool1d_with_indices", max_pool1d_with_indices),
      max_pool_with_indices<2>("max_pool2d_with_indices", max_pool2d_with_indices, {"max_pool_indices"}),
      max_pool_with_indices<3>("max_pool3d_with_indices", max_pool3d_with_indices),
      avg_pool<1>("avg_pool1d", avg_pool1d),
      avg_pool<2>("avg_pool2d", avg_pool2d),
      avg_pool<3>("avg_pool3d", avg_pool3d),
      adaptive<1>("adaptive_avg_pool1d", adaptive_avg_pool1d),
      adaptive<2>("adaptive_avg_pool2d", adaptive_avg_pool2d),
      adaptive<3>("adaptive_avg_pool3d", adaptive_avg_pool3d),
      adaptive<1>("adaptive_max_pool1d", adaptive_max_pool1d),
      adaptive<2>("adaptive_max_pool2d", adaptive_max_pool2d),
      adaptive<3>("adaptive_max_pool3d", adaptive_max_pool3d),
  };
}

ScaleFactors scale_of(const Call& c) { return c.has("scale") ? ScaleFactors(c.number("scale")) : ScaleFactors(); }

std::vector<Op> others() {
  return {
      op("interpolate", all_floats, images,
         [](const Call& c) {
           return interpolate(
               c[0], {.size = c.has("size") ? c.shape("size") : Shape(),
                      .scale = scale_of(c),
                      .mode = c.text("mode") == "linear" ? InterpolateMode::linear : InterpolateMode::nearest,
                      .align_corners = c.flag("align_corners")});
         }),
      of_method("log_softmax",
                op("log_softmax_rows", floats, images, [](const Call& c) { return log_softmax(c[0]); })),
      op("nll_loss", floats, not_empty, [](const Call& c) { return nll_loss(c[0], c[1]); }),
  };
}

const FamilyOfOps pools_family("pooling", pools());
const FamilyOfOps others_family("pooling", others());

TEST(Conformance, Pooling) { check_family("pooling"); }

}  // namespace
}  // namespace feral::conformance
