// Rearranged copies, and tensors made from nothing: against PyTorch and NumPy.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

const std::vector<std::string> made = {"made"};  // no operands

std::vector<Op> arranging() {
  const auto matrices = not_0_dim;
  return {
      op("flip", all_types, any_layout, [](const Call& c) { return c[0].flip(c.dims("dims")); }),
      op("roll", all_types, matrices, [](const Call& c) { return c[0].roll(c.shape("shifts"), c.dims("dims")); }),
      of_method("roll",
                op("roll_all", all_types, any_layout, [](const Call& c) { return c[0].roll(c.integer("shift")); })),
      op("rot90", all_types, matrices,
         [](const Call& c) { return c[0].rot90(c.integer("times"), c.integer("dim0"), c.integer("dim1")); }),
      op("repeat", all_types, any_layout, [](const Call& c) { return c[0].repeat(c.shape("repeats")); }),
      op("tile", all_types, any_layout, [](const Call& c) { return c[0].tile(c.shape("repeats")); }),
      of_method("repeat_interleave",
                op("repeat_interleave_all", all_types, any_layout,
                   [](const Call& c) { return c[0].repeat_interleave(c.integer("repeats")); })),
      op("repeat_interleave", all_types, matrices,
         [](const Call& c) { return c[0].repeat_interleave(c.integer("repeats"), c.integer("dim")); }),
      of_method("repeat_interleave",
                op("repeat_interleave_tensor", all_types, matrices,
                   [](const Call& c) { return c[0].repeat_interleave(c[1], c.integer("dim")); })),
      op("tril", all_types, matrices, [](const Call& c) { return c[0].tril(c.integer("diagonal")); }),
      op("triu", all_types, matrices, [](const Call& c) { return c[0].triu(c.integer("diagonal")); }),
      op("diag", all_types, matrices, [](const Call& c) { return c[0].diag(c.integer("diagonal")); }),
      op("one_hot", {DType::int64}, any_layout,
         [](const Call& c) { return c[0].one_hot(c.integer("classes", -1)); }, {"one_hot"}),
  };
}

DType type_of(const Call& c) { return dtype_named(c.text("type")); }

std::vector<Op> creation() {
  return {
      op("zeros", all_types, made, [](const Call& c) { return Tensor::zeros(c.shape("shape"), type_of(c)); }),
      op("ones", all_types, made, [](const Call& c) { return Tensor::ones(c.shape("shape"), type_of(c)); }),
      op("full", all_types, made,
         [](const Call& c) { return Tensor::full(c.shape("shape"), c.number("number"), type_of(c)); }),
      op("zeros_like", all_types, any_layout, [](const Call& c) { return Tensor::zeros_like(c[0]); }),
      op("ones_like", all_types, any_layout, [](const Call& c) { return Tensor::ones_like(c[0]); }),
      op("full_like", all_types, any_layout,
         [](const Call& c) { return Tensor::full_like(c[0], c.number("number")); }),
      op("eye", all_types, made,
         [](const Call& c) {
           if (!c.has("columns")) return Tensor::eye(c.integer("rows"), type_of(c));
           return Tensor::eye(c.integer("rows"), c.integer("columns"), type_of(c));
         }),
      op("arange", numbers, made,
         [](const Call& c) {
           if (c.has("type"))
             return Tensor::arange(c.scalar("start"), c.scalar("end"), c.scalar("step"), type_of(c));
           if (!c.has("start")) return Tensor::arange(c.scalar("end"));
           if (!c.has("step")) return Tensor::arange(c.scalar("start"), c.scalar("end"));
           return Tensor::arange(c.scalar("start"), c.scalar("end"), c.scalar("step"));
         }),
      op("linspace", numbers, made,
         [](const Call& c) {
           return Tensor::linspace(c.number("start"), c.number("end"), c.integer("count"), type_of(c));
         }),
  };
}

const FamilyOfOps arranging_family("arranging", arranging());
const FamilyOfOps creation_family("arranging", creation());

TEST(Conformance, Arranging) { check_family("arranging"); }

}  // namespace
}  // namespace feral::conformance
