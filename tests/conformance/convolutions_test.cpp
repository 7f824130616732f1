// Convolutions and their transposes: against PyTorch, computed in float64.
#include <gtest/gtest.h>

#include "autograd/ops/convolution.hpp"
#include "tests/conformance/calls.hpp"
#include "tests/conformance/per_dim.hpp"

namespace feral::conformance {
namespace {

template <int dims>
Op conv(const std::string& name,
        Tensor (*function)(const Tensor&, const Tensor&, const Tensor&, ConvOptions<dims>)) {
  return op(name, all_floats, not_0_dim, [function](const Call& c) {
    return function(c[0], c[1], c[2],
                    {.stride = per_dim<dims>(c, "stride", 1),
                     .padding = per_dim<dims>(c, "padding", 0),
                     .dilation = per_dim<dims>(c, "dilation", 1),
                     .groups = c.integer("groups", 1)});
  });
}

template <int dims>
Op conv_transpose(const std::string& name,
                  Tensor (*function)(const Tensor&, const Tensor&, const Tensor&, ConvTransposeOptions<dims>)) {
  return op(name, all_floats, not_0_dim, [function](const Call& c) {
    return function(c[0], c[1], c[2],
                    {.stride = per_dim<dims>(c, "stride", 1),
                     .padding = per_dim<dims>(c, "padding", 0),
                     .output_padding = per_dim<dims>(c, "output_padding", 0),
                     .groups = c.integer("groups", 1),
                     .dilation = per_dim<dims>(c, "dilation", 1)});
  });
}

std::vector<Op> convolutions() {
  return {
      conv<1>("conv1d", conv1d),
      conv<2>("conv2d", conv2d),
      conv<3>("conv3d", conv3d),
      conv_transpose<1>("conv_transpose1d", conv_transpose1d),
      conv_transpose<2>("conv_transpose2d", conv_transpose2d),
      conv_transpose<3>("conv_transpose3d", conv_transpose3d),
  };
}

const FamilyOfOps convolutions_family("convolutions", convolutions());

TEST(Conformance, Convolutions) { check_family("convolutions"); }

}  // namespace
}  // namespace feral::conformance
