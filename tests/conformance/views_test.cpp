// Views: against PyTorch. That each result lies in its operand's memory is checked by the suite.
#include <gtest/gtest.h>

#include "tests/conformance/calls.hpp"

namespace feral::conformance {
namespace {

const std::vector<std::string> matrices = not_0_dim;

std::vector<Op> reshaping() {
  return {
      op("reshape", all_types, any_layout, [](const Call& c) { return c[0].reshape(c.shape("shape")); }),
      op("reshape_as", all_types, any_layout, [](const Call& c) { return c[0].reshape_as(c[1]); }),
      op("flatten", all_types, any_layout, [](const Call& c) { return c[0].flatten(c.integer("start")); }),
      of_method("flatten", op("flatten_range", all_types, matrices,
                              [](const Call& c) { return c[0].flatten(c.integer("start"), c.integer("end")); })),
      view("view", any_layout, [](const Call& c) { return c[0].view(c.shape("shape")); }),
      op("view_as", all_types, {"contiguous", "empty", "0-dim"}, [](const Call& c) { return c[0].view_as(c[1]); }),
      view("unflatten", matrices, [](const Call& c) { return c[0].unflatten(c.integer("dim"), c.shape("sizes")); }),
      view("transpose", any_layout,
           [](const Call& c) { return c[0].transpose(c.integer("dim0"), c.integer("dim1")); }),
      view("t", any_layout, [](const Call& c) { return c[0].t(); }),
      view("permute", any_layout, [](const Call& c) { return c[0].permute(c.dims("dims")); }),
      view("movedim", matrices, [](const Call& c) { return c[0].movedim(c.integer("from"), c.integer("to")); }),
      view("squeeze", any_layout, [](const Call& c) { return c[0].squeeze(); }),
      of_method("squeeze",
                view("squeeze_dims", any_layout, [](const Call& c) { return c[0].squeeze(c.dims("dims")); })),
      view("unsqueeze", any_layout, [](const Call& c) { return c[0].unsqueeze(c.integer("dim")); }),
      view("expand", any_layout, [](const Call& c) { return c[0].expand(c.shape("shape")); }),
      view("expand_as", any_layout, [](const Call& c) { return c[0].expand_as(c[1]); }),
  };
}

std::vector<Op> parts() {
  return {
      view("select", matrices, [](const Call& c) { return c[0].select(c.integer("dim"), c.integer("index")); }),
      view("operator[]", {"contiguous", "transposed", "stepped", "broadcast"},
           [](const Call& c) { return c[0][c.integer("index")]; }),
      view("narrow", matrices,
           [](const Call& c) { return c[0].narrow(c.integer("dim"), c.integer("start"), c.integer("length")); }),
      view("slice", matrices,
           [](const Call& c) {
             if (!c.has("step")) return c[0].slice(c.integer("dim"), c.integer("start"), c.integer("stop"));
             return c[0].slice(c.integer("dim"), c.integer("start"), c.integer("stop"), c.integer("step"));
           }),
      view("diagonal", matrices,
           [](const Call& c) { return c[0].diagonal(c.integer("offset"), c.integer("dim0"), c.integer("dim1")); }),
      view("unfold", matrices,
           [](const Call& c) { return c[0].unfold(c.integer("dim"), c.integer("size"), c.integer("step")); }),
      view(
          "as_strided", any_layout,
          [](const Call& c) { return c[0].as_strided(c.shape("shape"), c.shape("strides"), c.integer("offset")); }),
      view("split", matrices, [](const Call& c) { return c[0].split(c.integer("size"), c.integer("dim")); }),
      of_method("split", view("split_sizes", matrices,
                              [](const Call& c) { return c[0].split(c.integers("sizes"), c.integer("dim")); })),
      view("chunk", matrices, [](const Call& c) { return c[0].chunk(c.integer("chunks"), c.integer("dim")); }),
      view("unbind", matrices, [](const Call& c) { return c[0].unbind(c.integer("dim")); }),
  };
}

const FamilyOfOps reshaping_family("views", reshaping());
const FamilyOfOps parts_family("views", parts());

TEST(Conformance, Views) { check_family("views"); }

}  // namespace
}  // namespace feral::conformance
